# Finds standalone Asio, as the target asio::asio: by its package config (Conan), else by its
# header (Debian ships no config).
find_package(asio CONFIG QUIET)

if(TARGET asio::asio)
  set(asio_FOUND TRUE)
  return()
endif()

find_path(ASIO_INCLUDE_DIR asio.hpp)
mark_as_advanced(ASIO_INCLUDE_DIR)

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(asio REQUIRED_VARS ASIO_INCLUDE_DIR)

if(asio_FOUND)
  find_package(Threads REQUIRED)
  set(asio_definitions ASIO_STANDALONE)
  # Asio below 1.26 does not know that Clang has coroutines; told so, it uses them.
  if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
    list(APPEND asio_definitions ASIO_HAS_CO_AWAIT=1)
  endif()
  add_library(asio::asio INTERFACE IMPORTED)
  set_target_properties(asio::asio PROPERTIES
    INTERFACE_INCLUDE_DIRECTORIES "${ASIO_INCLUDE_DIR}"
    INTERFACE_COMPILE_DEFINITIONS "${asio_definitions}"
    INTERFACE_LINK_LIBRARIES Threads::Threads)
endif()
