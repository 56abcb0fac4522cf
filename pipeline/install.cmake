# What cmake --install puts where. The program finds its data beside itself (bin/../share/stemma), so the whole may be
# moved.

# Manual page and completion are made by the program whenever it is linked.
add_custom_command(TARGET stemma POST_BUILD VERBATIM
  COMMAND sh -c "\"$0\" schema --man > stemma.1 && \"$0\" schema --completion bash > stemma.bash" $<TARGET_FILE:stemma>
  WORKING_DIRECTORY ${PROJECT_BINARY_DIR}/generated)

# The MPI library that was loaded as a module here is what the program needs there.
set(STEMMA_MODULE_PREREQ "")
if("$ENV{LOADEDMODULES}" MATCHES "(^|:)((openmpi|mpich|mvapich2?|intel-?mpi|cray-mpich)(/[^:]*)?)(:|$)")
  set(STEMMA_MODULE_PREREQ "prereq ${CMAKE_MATCH_2}")
endif()
configure_file(${PROJECT_SOURCE_DIR}/slurm/machines/modulefile.in ${PROJECT_BINARY_DIR}/generated/modulefile @ONLY)

set(generated ${PROJECT_BINARY_DIR}/generated)
install(TARGETS stemma RUNTIME DESTINATION bin)
install(FILES ${generated}/stemma.1 DESTINATION share/man/man1)
install(FILES ${generated}/stemma.bash DESTINATION share/bash-completion/completions RENAME stemma)
install(FILES ${generated}/modulefile DESTINATION share/stemma/modulefile/stemma RENAME ${PROJECT_VERSION})
install(DIRECTORY ${PROJECT_SOURCE_DIR}/configs/architectures DESTINATION share/stemma FILES_MATCHING PATTERN *.yaml)
install(DIRECTORY ${PROJECT_SOURCE_DIR}/configs DESTINATION share/stemma PATTERN architectures EXCLUDE)
install(DIRECTORY ${PROJECT_SOURCE_DIR}/slurm DESTINATION share/stemma
        FILES_MATCHING PATTERN *.sbatch PATTERN *.sh PATTERN README.md PATTERN spack EXCLUDE)
install(FILES ${PROJECT_SOURCE_DIR}/README.md ${PROJECT_SOURCE_DIR}/CHANGELOG.md ${PROJECT_SOURCE_DIR}/LICENSE
              ${PROJECT_SOURCE_DIR}/CITATION.cff DESTINATION share/doc/stemma)
