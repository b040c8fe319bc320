# install() and export: `find_package(cairn)` gives cairn::cairn in every later project.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

set(cairn_config_dir "${CMAKE_INSTALL_DATADIR}/cmake/cairn")

install(TARGETS cairn EXPORT cairnTargets
  FILE_SET HEADERS DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}")
install(EXPORT cairnTargets NAMESPACE cairn:: DESTINATION "${cairn_config_dir}")

write_basic_package_version_file("${PROJECT_BINARY_DIR}/cairnConfigVersion.cmake"
  COMPATIBILITY SameMinorVersion ARCH_INDEPENDENT)
install(FILES
    cmake/cairnConfig.cmake
    cmake/CairnDependencies.cmake
    cmake/Findasio.cmake
    cmake/FindxxHash.cmake
    "${PROJECT_BINARY_DIR}/cairnConfigVersion.cmake"
  DESTINATION "${cairn_config_dir}")
install(FILES LICENSE DESTINATION "${CMAKE_INSTALL_DOCDIR}")
