# Commands for operators, as processes.
if(NOT TARGET cairn-store)
  return()
endif()
foreach(case IN ITEMS lists damaged refused)
  add_test(NAME tools.store_${case}
    COMMAND Python3::Interpreter "${CMAKE_CURRENT_LIST_DIR}/store_tool_test.py" ${case}
      "$<TARGET_FILE:cairn-store>" "${CMAKE_CURRENT_LIST_DIR}/../golden/format-1")
  set_tests_properties(tools.store_${case} PROPERTIES LABELS tools)
endforeach()
