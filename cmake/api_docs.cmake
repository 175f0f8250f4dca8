# Target docs: the C++ API as HTML, where Doxygen is installed. A warning (an unknown \cite key, a wrong parameter) fails it.
find_program(ONMANIFOLD_DOXYGEN NAMES doxygen)
if(ONMANIFOLD_DOXYGEN)
  set(ONMANIFOLD_API_INPUT "\"${PROJECT_SOURCE_DIR}/ARCHITECTURE.md\"")
  foreach(folder core contracts results manifolds datasets models metrics diagnostics suite reports)
    string(APPEND ONMANIFOLD_API_INPUT " \"${PROJECT_SOURCE_DIR}/${folder}\"")
  endforeach()
  configure_file("${PROJECT_SOURCE_DIR}/docs/Doxyfile.in" "${CMAKE_BINARY_DIR}/Doxyfile" @ONLY)
  add_custom_target(docs COMMAND "${ONMANIFOLD_DOXYGEN}" "${CMAKE_BINARY_DIR}/Doxyfile" VERBATIM
                    COMMENT "The C++ API in ${CMAKE_BINARY_DIR}/api/html")
endif()
