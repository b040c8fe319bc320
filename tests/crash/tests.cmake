# Real processes on real files: killed, their disk full, their system calls failing. What a
# sanitizer could find is found sooner by the tests that run in one process.
find_package(CLI11 CONFIG QUIET)
if(NOT CLI11_FOUND OR CAIRN_SANITIZE)
  return()
endif()
find_package(Python3 COMPONENTS Interpreter REQUIRED)

add_executable(crash_bank "${CMAKE_CURRENT_LIST_DIR}/bank.cpp")
target_link_libraries(crash_bank PRIVATE cairn::cairn CLI11::CLI11)
# What takes longer to compile than to run is not worth it.
target_compile_options(crash_bank PRIVATE -O1)

foreach(case IN ITEMS killed full_disk failing_calls)
  add_test(NAME crash.${case}
    COMMAND Python3::Interpreter "${CMAKE_CURRENT_LIST_DIR}/crash_test.py" ${case}
      "$<TARGET_FILE:crash_bank>")
  set_tests_properties(crash.${case} PROPERTIES
    LABELS crash TIMEOUT 900 SKIP_RETURN_CODE 77)
endforeach()
