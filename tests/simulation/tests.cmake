# Whole systems in one thread, from seeds: `simulate` plays the workloads of this folder. It says
# nothing that a thread sanitizer could add to.
find_package(CLI11 CONFIG QUIET)
if(NOT CLI11_FOUND OR CAIRN_SANITIZE MATCHES "thread")
  return()
endif()

add_executable(simulate "${CMAKE_CURRENT_LIST_DIR}/simulate.cpp")
target_link_libraries(simulate PRIVATE cairn::cairn CLI11::CLI11)
# What takes longer to compile than the seeds take to play is not worth it: where there are many, -O2
# gives back more than it takes.
set(cairn_simulate_as -O2)
if(CAIRN_SANITIZE)
  set(cairn_simulate_as -O0)
endif()
target_compile_options(simulate PRIVATE ${cairn_simulate_as})
cairn_sanitize_lightly(simulate)

# Each workload for each seed: 2000 seeds, half of them by each compiler. The first thousand in one
# run, which must walk all paths; the second compiler has little else to run beside them.
set(cairn_seeds 1..1000)
if(CAIRN_SANITIZE)
  set(cairn_seeds 1..5)
elseif(NOT CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  set(cairn_seeds 1001..1500 1501..2000)
endif()
foreach(some IN LISTS cairn_seeds)
  add_test(NAME simulation.seeds_${some} COMMAND simulate --seeds ${some})
  set_tests_properties(simulation.seeds_${some} PROPERTIES LABELS simulation TIMEOUT 1800
    COST 1000)  # the longest ones begin first: at the end they would keep one processor waiting
endforeach()
# What has found something once: it stays when the range above is changed.
foreach(found IN ITEMS bank:1712 curse:112 house:252 moods:29 posts:1489 storm:1)
  string(REPLACE ":" ";" found ${found})
  list(GET found 0 workload)
  list(GET found 1 seed)
  add_test(NAME simulation.found_by_${workload}_${seed}
    COMMAND simulate --seeds ${seed}..${seed} --workload ${workload})
  set_tests_properties(simulation.found_by_${workload}_${seed} PROPERTIES LABELS simulation)
endforeach()
# One of them is enough for a sanitizer, which the seeds above have shown the same code.
set(cairn_small bank pipeline family posts timing)
if(CAIRN_SANITIZE)
  set(cairn_small family)
endif()
foreach(small IN LISTS cairn_small)
  add_test(NAME simulation.every_operation_of_${small}
    COMMAND simulate --seeds 3..4 --every-operation --workload ${small})
  set_tests_properties(simulation.every_operation_of_${small}
    PROPERTIES LABELS simulation TIMEOUT 900)
endforeach()
add_test(NAME simulation.refuses COMMAND simulate --seeds 9..1)
set_tests_properties(simulation.refuses PROPERTIES WILL_FAIL ON LABELS simulation)
