if(NOT CMAKE_SYSTEM_NAME STREQUAL "Linux")
  set(cairn_FOUND FALSE)
  set(cairn_NOT_FOUND_MESSAGE "cairn runs on Linux only, not on ${CMAKE_SYSTEM_NAME}")
  return()
endif()

# The Find modules stand beside this file; the caller's own module path is given back unchanged.
list(PREPEND CMAKE_MODULE_PATH "${CMAKE_CURRENT_LIST_DIR}")
include("${CMAKE_CURRENT_LIST_DIR}/CairnDependencies.cmake")
list(POP_FRONT CMAKE_MODULE_PATH)

# A dependency that is not there has said so in cairn_FOUND and cairn_NOT_FOUND_MESSAGE.
if(DEFINED cairn_FOUND AND NOT cairn_FOUND)
  return()
endif()

include("${CMAKE_CURRENT_LIST_DIR}/cairnTargets.cmake")
