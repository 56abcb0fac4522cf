// stemma: who descends from whom, from the weights of language models.
#include "pipeline/commands/command.hpp"

int main(int argc, char** argv) { return static_cast<int>(stemma::run_program(argc, argv)); }
