# cpack --preset package: onmanifold (program, data, suites) and onmanifold-dev (libraries, headers) as packages of the Debian
# that builds them.
set(documents "${CMAKE_BINARY_DIR}/debian")
file(MAKE_DIRECTORY "${documents}")
configure_file(cmake/debian/onmanifold.1.in "${documents}/onmanifold.1" @ONLY)
configure_file(cmake/debian/changelog.in "${documents}/changelog" @ONLY)
find_program(GZIP gzip)
if(GZIP)
  # -n: without the time, so that a package is the same bits whenever it is made.
  foreach(document onmanifold.1 changelog)
    execute_process(COMMAND "${GZIP}" -9nkf "${documents}/${document}")
  endforeach()
  install(FILES "${documents}/onmanifold.1.gz" DESTINATION ${CMAKE_INSTALL_MANDIR}/man1 COMPONENT program)
  install(FILES "${documents}/changelog.gz" DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/onmanifold COMPONENT program)
  install(FILES "${documents}/changelog.gz" DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/onmanifold-dev COMPONENT development)
endif()
install(FILES cmake/debian/copyright DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/onmanifold COMPONENT program)
install(FILES cmake/debian/copyright DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/onmanifold-dev COMPONENT development)

set(CPACK_PACKAGE_NAME onmanifold)
set(CPACK_PACKAGE_VENDOR "The OnManifold developers")
set(CPACK_PACKAGE_CONTACT "The OnManifold developers <onmanifold@example.org>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "benchmark suite for generative models of data on known manifolds")
set(CPACK_PACKAGE_DIRECTORY "${CMAKE_BINARY_DIR}/packages")
set(CPACK_STRIP_FILES ON)
set(CPACK_COMPONENTS_ALL program development)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION science)
set(CPACK_DEBIAN_PACKAGE_PRIORITY optional)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)

set(CPACK_DEBIAN_PROGRAM_PACKAGE_NAME onmanifold)
set(CPACK_DEBIAN_PROGRAM_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PROGRAM_PACKAGE_RECOMMENDS gnuplot-nox)  # figures as SVG, PDF and PNG
# The program's library is no interface: no other package links with it, nor does it need ldconfig.
set(CPACK_DEBIAN_PROGRAM_PACKAGE_SHLIBDEPS_PRIVATE_DIRS "${CMAKE_BINARY_DIR}/cli")
set(CPACK_DEBIAN_PROGRAM_DESCRIPTION
    "It trains generative models on tasks whose distribution is known in closed form,
 measures their samples with exact null values, and says with statistics
 whether and where handling the manifold helps. It reproduces papers, gates
 merges in continuous integration, and compares a method of one's own.")

set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_NAME onmanifold-dev)
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_SECTION libdevel)
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_DEPENDS
    "libarmadillo-dev, libboost-dev, libdnnl-dev, libeigen3-dev, libfmt-dev, libhdf5-dev, libssl-dev, libtomlplusplus-dev, zlib1g-dev")
set(CPACK_DEBIAN_DEVELOPMENT_DESCRIPTION
    "Static libraries, headers and the CMake package of OnManifold: manifolds, tasks,
 methods, metrics, suites and reports for C++20 programs.")
include(CPack)
