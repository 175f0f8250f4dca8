# cmake --install: the program with what it ships, and a package: find_package(OnManifold), targets OnManifold::core …
# OnManifold::reports. examples/consumer uses it.
include(CMakePackageConfigHelpers)

get_property(libraries GLOBAL PROPERTY ONMANIFOLD_LIBRARIES)
set_target_properties(onmanifold_abi PROPERTIES EXPORT_NAME abi)
install(
  TARGETS ${libraries} onmanifold_abi onmanifold_armadillo onmanifold_dnnl onmanifold_gemmi onmanifold_hdf5
  EXPORT OnManifoldTargets
  ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT development
  FILE_SET HEADERS DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/onmanifold COMPONENT development)
set(package_directory ${CMAKE_INSTALL_LIBDIR}/cmake/OnManifold)
install(EXPORT OnManifoldTargets NAMESPACE OnManifold:: DESTINATION ${package_directory} COMPONENT development)
configure_package_config_file(cmake/OnManifoldConfig.cmake.in "${CMAKE_CURRENT_BINARY_DIR}/OnManifoldConfig.cmake"
                              INSTALL_DESTINATION ${package_directory})
# Until 1.0 every minor version may change the libraries.
write_basic_package_version_file("${CMAKE_CURRENT_BINARY_DIR}/OnManifoldConfigVersion.cmake"
                                 COMPATIBILITY SameMinorVersion)
install(FILES "${CMAKE_CURRENT_BINARY_DIR}/OnManifoldConfig.cmake"
              "${CMAKE_CURRENT_BINARY_DIR}/OnManifoldConfigVersion.cmake" DESTINATION ${package_directory}
        COMPONENT development)

install(TARGETS onmanifold RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR} COMPONENT program)
install(DIRECTORY datasets/data DESTINATION ${CMAKE_INSTALL_DATADIR}/onmanifold/datasets COMPONENT program)
install(DIRECTORY suite/suites DESTINATION ${CMAKE_INSTALL_DATADIR}/onmanifold/suite COMPONENT program)
install(FILES LICENSE CITATION.cff docs/bibliography.bib DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/onmanifold COMPONENT program)
# For bash as it is; zsh reads it through bashcompinit.
install(FILES cli/completions/onmanifold DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions
        COMPONENT program)
install(DIRECTORY examples DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/onmanifold COMPONENT program)
