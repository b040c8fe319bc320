# The flights job as a process: killed, resumed, refused.
if(NOT TARGET flights)
  return()
endif()
find_package(Python3 COMPONENTS Interpreter REQUIRED)

# Sanitized, the job takes many times as long; the fewer kills still meet every kind of snapshot.
set(cairn_kills "")
if(CAIRN_SANITIZE)
  set(cairn_kills 8)
endif()

foreach(case IN ITEMS killed workers done gone stopped elsewhere other_job malformed refused files
    held lost_input unwritten)
  add_test(NAME flights.${case}
    COMMAND Python3::Interpreter "${CMAKE_CURRENT_LIST_DIR}/flights_test.py" ${case}
      "$<TARGET_FILE:flights>" "${PROJECT_SOURCE_DIR}/examples/data/flights-20k.csv"
      $<$<STREQUAL:${case},killed>:${cairn_kills}>
    COMMAND_EXPAND_LISTS)
  set_tests_properties(flights.${case} PROPERTIES LABELS flights TIMEOUT 1500)
endforeach()
