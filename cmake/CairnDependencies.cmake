# The dependencies of cairn::cairn, found the same way by the build and by the installed package.
include(CMakeFindDependencyMacro)

macro(cairn_depends_on)
  if(CMAKE_FIND_PACKAGE_NAME)
    find_dependency(${ARGN})
  else()
    find_package(${ARGN} REQUIRED)
  endif()
endmacro()

cairn_depends_on(Threads)
cairn_depends_on(asio MODULE)
cairn_depends_on(cereal CONFIG)
cairn_depends_on(fmt CONFIG)
cairn_depends_on(xxHash MODULE)
