# Commands for operators, as processes.
if(NOT TARGET cairn-store)
  return()
endif()
foreach(case IN ITEMS lists damaged damaged_anywhere refused)
  add_test(NAME tools.store_${case}
    COMMAND Python3::Interpreter "${CMAKE_CURRENT_LIST_DIR}/store_tool_test.py" ${case}
      "$<TARGET_FILE:cairn-store>" "${CMAKE_CURRENT_LIST_DIR}/../golden/format-1")
  set_tests_properties(tools.store_${case} PROPERTIES LABELS tools)
endforeach()

add_executable(store_program "${CMAKE_CURRENT_LIST_DIR}/program.cpp")
target_link_libraries(store_program PRIVATE cairn::cairn)
# What takes longer to compile than to run is not worth it.
target_compile_options(store_program PRIVATE -O0)
foreach(case IN ITEMS letters all_letters displaced resumes resumes_deadly gives_up goes_back damaged clones refuses full_disk
    newest_damaged names lost_output)
  add_test(NAME tools.store_change_${case}
    COMMAND Python3::Interpreter "${CMAKE_CURRENT_LIST_DIR}/store_change_test.py" ${case}
      "$<TARGET_FILE:cairn-store>" "$<TARGET_FILE:store_program>")
  set_tests_properties(tools.store_change_${case} PROPERTIES LABELS tools)
endforeach()
