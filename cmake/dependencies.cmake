# Third-party libraries, all from Debian; every one is a SYSTEM dependency. docs/decisions/ says why each is here.
find_package(Eigen3 3.4 REQUIRED NO_MODULE)
find_package(fmt 9 REQUIRED)
find_package(Boost 1.74 REQUIRED)
find_package(Armadillo 11 REQUIRED)
find_package(HDF5 1.10 REQUIRED COMPONENTS C)
find_package(OpenSSL 3 REQUIRED COMPONENTS Crypto)
find_package(tomlplusplus 3.3 REQUIRED)
find_path(RANDOM123_INCLUDE_DIR Random123/philox.h REQUIRED)
find_path(NLOHMANN_JSON_INCLUDE_DIR nlohmann/json.hpp REQUIRED)
find_path(CLI11_INCLUDE_DIR CLI/CLI.hpp REQUIRED)
find_path(NANOFLANN_INCLUDE_DIR nanoflann.hpp REQUIRED)
find_path(LEMON_INCLUDE_DIR lemon/network_simplex.h REQUIRED)
find_path(GEMMI_INCLUDE_DIR gemmi/pdb.hpp REQUIRED)
find_path(PEGTL_INCLUDE_DIR tao/pegtl.hpp REQUIRED)  # gemmi's parser of CIF
find_package(ZLIB REQUIRED)

add_library(onmanifold_hdf5 INTERFACE)
target_include_directories(onmanifold_hdf5 SYSTEM INTERFACE ${HDF5_C_INCLUDE_DIRS})
target_link_libraries(onmanifold_hdf5 INTERFACE ${HDF5_C_LIBRARIES})
target_compile_definitions(onmanifold_hdf5 INTERFACE ${HDF5_C_DEFINITIONS})

# Not find_package(dnnl): Debian's file asks for the headers of OpenCL, which nothing here needs.
find_path(DNNL_INCLUDE_DIR dnnl.hpp REQUIRED)
find_library(DNNL_LIBRARY dnnl REQUIRED)
add_library(onmanifold_dnnl INTERFACE)
target_include_directories(onmanifold_dnnl SYSTEM INTERFACE ${DNNL_INCLUDE_DIR})
target_link_libraries(onmanifold_dnnl INTERFACE ${DNNL_LIBRARY} ${CMAKE_DL_LIBS})

add_library(onmanifold_gemmi INTERFACE)
target_include_directories(onmanifold_gemmi SYSTEM INTERFACE ${GEMMI_INCLUDE_DIR} ${PEGTL_INCLUDE_DIR})
target_link_libraries(onmanifold_gemmi INTERFACE ZLIB::ZLIB)
# From 0.6 on (Debian 13) the headers call functions of a library; before, there is none.
find_library(GEMMI_LIBRARY gemmi_cpp)
if(GEMMI_LIBRARY)
  target_link_libraries(onmanifold_gemmi INTERFACE ${GEMMI_LIBRARY})
endif()

add_library(onmanifold_armadillo INTERFACE)
target_include_directories(onmanifold_armadillo SYSTEM INTERFACE ${ARMADILLO_INCLUDE_DIRS})
target_link_libraries(onmanifold_armadillo INTERFACE ${ARMADILLO_LIBRARIES})
# Armadillo neither prints warnings nor starts threads here: libraries stay silent, workers have one core.
target_compile_definitions(onmanifold_armadillo INTERFACE ARMA_DONT_USE_OPENMP ARMA_WARN_LEVEL=0)

# The interpreter of the system, whatever stands before it on PATH, unless -DPython3_EXECUTABLE=… says another: Debian's
# NumPy and pybind11 are its. Sanitizers would have to be in the interpreter.
set(ONMANIFOLD_PYTHON_FOUND OFF)
if(ONMANIFOLD_BUILD_WHEEL OR (ONMANIFOLD_BUILD_PYTHON AND NOT ONMANIFOLD_SANITIZE AND NOT ONMANIFOLD_LEVELS
                              AND NOT ONMANIFOLD_LEVEL_ONLY))
  if(NOT DEFINED Python3_EXECUTABLE AND EXISTS /usr/bin/python3)
    set(Python3_EXECUTABLE /usr/bin/python3)
  endif()
  set(PYBIND11_NOPYTHON ON)
  find_package(Python3 3.11 COMPONENTS Interpreter Development.Module)
  find_package(pybind11 2.10)
  if(Python3_Development.Module_FOUND AND pybind11_FOUND)
    set(ONMANIFOLD_PYTHON_FOUND ON)
  elseif(ONMANIFOLD_BUILD_WHEEL)
    message(FATAL_ERROR "A wheel needs pybind11 and the headers of Python 3: scripts/install-dependencies.sh --python")
  else()
    message(STATUS "No pybind11 or no headers of Python 3: the Python package is left out")
  endif()
endif()

if(ONMANIFOLD_BUILD_TESTS)
  find_package(GTest 1.12 REQUIRED)
endif()
if(ONMANIFOLD_BUILD_BENCHMARKS)
  find_package(benchmark 1.7 REQUIRED)
endif()
