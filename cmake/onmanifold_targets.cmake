# onmanifold_add_library(NAME SOURCES … DEPENDS … PRIVATE_DEPENDS … [REGISTRY] [TOGETHER] [EXACT])
#   one static library a directory, with every header below it; the include root is the root of the repository.
#   REGISTRY: "NAME/units.hpp" includes all of these headers, so that a new unit is one line in the registry.
#   TOGETHER: several sources are compiled as one, unless ONMANIFOLD_UNITY is off. Not for what makes data or trains: what a
#   compiler sees at once may change where it fuses a product and a sum, and with it a bit.
#   EXACT: no product is fused with a sum, so that plain loops have the same bits on every machine (core/math/portable.hpp).
# onmanifold_add_test(NAME SOURCES … DEPENDS … [LABELS …] [TIMEOUT seconds] [ONE_PROCESS] [TOGETHER])
#   one GoogleTest executable a directory of tests; every TEST becomes a CTest, or the whole executable one CTest where
#   its tests share an expensive preparation.
# onmanifold_add_benchmark(NAME SOURCE … DEPENDS …)
#   one Google Benchmark executable; CTest runs each of them briefly, so that they cannot rot.
include(GoogleTest)

# One precompiled header for everybody: Eigen is the greater part of every compilation, then fmt.
file(WRITE "${CMAKE_BINARY_DIR}/precompiled.cpp" "// Carries the precompiled header of all libraries.\n")
add_library(onmanifold_precompiled STATIC "${CMAKE_BINARY_DIR}/precompiled.cpp")
target_link_libraries(onmanifold_precompiled PUBLIC onmanifold::flags Eigen3::Eigen fmt::fmt)
set(precompiled_headers
    <Eigen/Dense> <algorithm> <array> <chrono> <cmath> <cstdint> <filesystem> <fstream> <functional> <limits> <map> <memory>
    <numeric> <optional> <set> <sstream> <string> <string_view> <tuple> <utility> <vector> <fmt/format.h> <fmt/ranges.h>)
target_precompile_headers(onmanifold_precompiled PRIVATE ${precompiled_headers})
# One without fused operations: GCC takes the setting from the precompiled header.
add_library(onmanifold_exact INTERFACE)
target_compile_options(onmanifold_exact INTERFACE -ffp-contract=off)
add_library(onmanifold_precompiled_exact STATIC "${CMAKE_BINARY_DIR}/precompiled.cpp")
target_link_libraries(onmanifold_precompiled_exact PUBLIC onmanifold::flags Eigen3::Eigen fmt::fmt PRIVATE onmanifold_exact)
target_precompile_headers(onmanifold_precompiled_exact PRIVATE ${precompiled_headers})
if(ONMANIFOLD_BUILD_TESTS)  # and one with GoogleTest, a second of every test's compilation
  add_library(onmanifold_precompiled_tests STATIC "${CMAKE_BINARY_DIR}/precompiled.cpp")
  target_link_libraries(onmanifold_precompiled_tests PUBLIC onmanifold::flags Eigen3::Eigen fmt::fmt GTest::gmock
                                                             GTest::gtest)
  target_precompile_headers(onmanifold_precompiled_tests PRIVATE ${precompiled_headers} <gmock/gmock.h> <gtest/gtest.h>)
endif()

# The executable reads the header that CARRIER carries. CMake would say -fPIE, with which what was made with -fPIC is refused.
function(onmanifold_reuse_precompiled executable carrier)
  target_precompile_headers(${executable} REUSE_FROM ${carrier})
  set_target_properties(${executable} PROPERTIES POSITION_INDEPENDENT_CODE OFF)
  target_compile_options(${executable} PRIVATE -fPIC)
endfunction()

function(onmanifold_compile_together target)
  set_target_properties(${target} PROPERTIES UNITY_BUILD ${ONMANIFOLD_UNITY} UNITY_BUILD_BATCH_SIZE 8)
  set_source_files_properties(registry.cpp PROPERTIES SKIP_UNITY_BUILD_INCLUSION ON)  # what a new unit changes
endfunction()

function(onmanifold_add_library name)
  cmake_parse_arguments(ARG "EXACT;REGISTRY;TOGETHER" "" "SOURCES;DEPENDS;PRIVATE_DEPENDS" ${ARGN})
  set(target onmanifold_${name})
  file(GLOB_RECURSE headers CONFIGURE_DEPENDS "*.hpp")
  add_library(${target} STATIC ${ARG_SOURCES})
  add_library(onmanifold::${name} ALIAS ${target})
  target_sources(${target} PUBLIC FILE_SET HEADERS BASE_DIRS "${PROJECT_SOURCE_DIR}" FILES ${headers})
  target_link_libraries(${target} PUBLIC onmanifold_abi Eigen3::Eigen ${ARG_DEPENDS}
                        PRIVATE ${ARG_PRIVATE_DEPENDS} "$<BUILD_INTERFACE:onmanifold_flags>")
  set_target_properties(${target} PROPERTIES EXPORT_NAME ${name})
  set_property(GLOBAL APPEND PROPERTY ONMANIFOLD_LIBRARIES ${target})
  if(ARG_EXACT)
    target_link_libraries(${target} PRIVATE "$<BUILD_INTERFACE:onmanifold_exact>")
    target_precompile_headers(${target} REUSE_FROM onmanifold_precompiled_exact)
  else()
    target_precompile_headers(${target} REUSE_FROM onmanifold_precompiled)
  endif()
  if(ARG_TOGETHER)
    onmanifold_compile_together(${target})
  endif()
  if(ARG_REGISTRY)
    list(TRANSFORM headers REPLACE "^${PROJECT_SOURCE_DIR}/(.*)$" "#include \"\\1\"\n" OUTPUT_VARIABLE includes)
    list(JOIN includes "" includes)
    file(CONFIGURE OUTPUT "${CMAKE_BINARY_DIR}/registries/${name}/units.hpp" CONTENT "// Every header of ${name}/.\n${includes}"
         @ONLY)
    target_include_directories(${target} PRIVATE "${CMAKE_BINARY_DIR}/registries")
  endif()
endfunction()

function(onmanifold_add_test name)
  cmake_parse_arguments(ARG "ONE_PROCESS;TOGETHER" "TIMEOUT" "SOURCES;DEPENDS;LABELS" ${ARGN})
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 300)
  endif()
  if(ONMANIFOLD_SANITIZE)
    math(EXPR ARG_TIMEOUT "${ARG_TIMEOUT} * 3")
  endif()
  if(NOT ARG_LABELS)
    set(ARG_LABELS unit)
  endif()
  add_executable(${name} ${ARG_SOURCES})
  target_include_directories(${name} PRIVATE "${PROJECT_SOURCE_DIR}")
  target_link_libraries(${name} PRIVATE ${ARG_DEPENDS} onmanifold::flags GTest::gtest GTest::gmock GTest::gtest_main)
  target_compile_definitions(${name} PRIVATE ONMANIFOLD_SOURCE_DIR="${PROJECT_SOURCE_DIR}"
                                             ONMANIFOLD_BINARY_DIR="${CMAKE_BINARY_DIR}")
  onmanifold_reuse_precompiled(${name} onmanifold_precompiled_tests)
  if(ARG_TOGETHER)  # four by four, so that two cores have work to the end
    set_target_properties(${name} PROPERTIES UNITY_BUILD ${ONMANIFOLD_UNITY} UNITY_BUILD_BATCH_SIZE 4)
  endif()
  if(ARG_ONE_PROCESS)
    add_test(NAME ${name} COMMAND ${name})
    set_tests_properties(${name} PROPERTIES LABELS "${ARG_LABELS}" TIMEOUT ${ARG_TIMEOUT}
                                            ENVIRONMENT "${ONMANIFOLD_TEST_ENVIRONMENT}")
    return()
  endif()
  gtest_discover_tests(
    ${name} TEST_PREFIX "${name}." DISCOVERY_MODE PRE_TEST
    PROPERTIES LABELS "${ARG_LABELS}" TIMEOUT ${ARG_TIMEOUT} ENVIRONMENT "${ONMANIFOLD_TEST_ENVIRONMENT}")
endfunction()

function(onmanifold_add_benchmark name)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPENDS" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE ${ARG_DEPENDS} onmanifold::flags benchmark::benchmark benchmark::benchmark_main)
  target_compile_definitions(${name} PRIVATE ONMANIFOLD_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
  onmanifold_reuse_precompiled(${name} onmanifold_precompiled)
  if(ONMANIFOLD_BUILD_TESTS)
    add_test(NAME benchmark.${name} COMMAND ${name} --benchmark_min_time=0.001)
    set_tests_properties(benchmark.${name} PROPERTIES LABELS benchmark TIMEOUT 400)
  endif()
endfunction()
