# Which libraries will the program be built on? A table at the end of configuring, for whoever has to ask a site for one.
set(elpa_found "${ELPA_VERSION}")
if(use_elpa STREQUAL off)
  set(elpa_found "none (STEMMA_ELPA=off): teams of ranks use ScaLAPACK's solver")
elseif(NOT ELPA_FOUND)
  set(elpa_found "not found (Debian package libelpa-dev): teams of ranks use ScaLAPACK's solver")
endif()
list(GET BLAS_LIBRARIES 0 blas_found)
list(GET LAPACK_LIBRARIES 0 lapack_found)
if(BUILD_TESTING)
  set(tests_found "yes, GoogleTest ${GTest_VERSION}")
else()
  set(tests_found "no (BUILD_TESTING=OFF)")
endif()
foreach(row "compiler|${CMAKE_CXX_COMPILER_ID} ${CMAKE_CXX_COMPILER_VERSION}, ${CMAKE_BUILD_TYPE}"
            "MPI|${MPI_C_VERSION}, ${MPI_C_LIBRARIES}" "BLAS|${blas_found}" "LAPACK|${lapack_found}"
            "ScaLAPACK|${SCALAPACK_VERSION}" "ELPA|${elpa_found}" "HDF5|${HDF5_VERSION}" "Eigen|${Eigen3_VERSION}"
            "Highway|${HWY_VERSION}" "xxHash|${XXHASH_VERSION}" "OpenSSL|${OPENSSL_VERSION}" "libpng|${PNG_VERSION}" "zlib|${ZLIB_VERSION_STRING}"
            "yaml-cpp|${yaml-cpp_VERSION}" "fmt|${fmt_VERSION}" "JSON|${nlohmann_json_VERSION}" "CLI11|${CLI11_VERSION}"
            "tests|${tests_found}")
  string(REGEX MATCH "^[^|]*" name "${row}")
  string(LENGTH "${name}|" begin)
  string(SUBSTRING "${row}" ${begin} -1 what)
  string(SUBSTRING "${name}            " 0 12 name)
  message(STATUS "${name}${what}")
endforeach()
