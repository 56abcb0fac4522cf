// What the machine is like, what went wrong, and the log for programs.
#include "pipeline/documents/document.hpp"

namespace stemma::documents {
namespace {

Document doctor() {
  const Shape verdict = text_of({"ok", "advice", "problem"});
  const Shape check = object({{"topic", text(), "what was looked at"},
                              {"verdict", verdict, "whether a run does well with it"},
                              {"found", text(), "how it is"},
                              {"change", text(), "what to change, \"\" where nothing has to be"}});
  const Shape algebra =
      object({{"flavour", text(), "of BLAS"},
              {"core", text(), "the kernels it chose"},
              {"config", text(), "what it says of itself"},
              {"threading", count(), "0: unknown, 1: none, 2: threads of its own, 3: OpenMP"},
              {"threads", integer(), "that it would use"},
              {"complaints", list(text()), "what it computed wrongly"},
              {"seconds", seconds(), "that the test took"}});
  const Shape rank = object({{"host", text(), "its machine"},
                             {"cpu_model", text(), "of its processor"},
                             {"simd", text(), "the kernels that it can use"},
                             {"cores", list(count()), "that it may use, by number"},
                             {"omp_num_threads", text().or_null(), "the variable; null where it is not set"},
                             {"memory", bytes(), "that a run would allow it"},
                             {"memory_limit", text(), "what sets that limit"},
                             {"no_blas_memory", text(), "why BLAS has no memory, \"\" where it has"},
                             {"algebra", algebra, "linear algebra there"},
                             {"shared_memory", bytes().or_null(), "free in /dev/shm"},
                             {"session", text(), "directory of MPI, \"\" without one"},
                             {"session_space", bytes().or_null(), "free there"},
                             {"sees_place", flag(), "the output directory exists there"}});
  return {.name = "doctor",
          .place = "stemma doctor --json",
          .meaning = "Whether a run does well on this machine, and what to change.",
          .keys = {version(),
                   {"version", text(), "the same again"},
                   {"commit", text(), "of the program's source"},
                   {"verdict", verdict, "the worst of all checks"},
                   {"checks", list(check), "one for each topic"},
                   {"ranks", list(rank), "what was found on each rank"}}};
}

Document error() {
  const Shape problem = object({{"file", text(), "in which it is, \"\" where it is in none"},
                                {"line", count(), "from 1, 0 where there is none"},
                                {"column", count(), "from 1, 0 where there is none"},
                                {"place", text(), "what a line cannot say: \"argument 2\""},
                                {"key", text(), "of the configuration, dotted"},
                                {"problem", text(), "what is wrong"},
                                {"reason", text(), "why it is, \"\" where that is plain"},
                                {"suggestion", text(), "what to do, \"\" where nothing is suggested"}});
  return {.name = "error",
          .place = "any verb with --json that fails",
          .meaning = "Why there is no result.",
          .keys = {version(),
                   {"exit_code", count(), "of the command"},
                   {"problems", list(problem), "all that were found"}}};
}

Document log() {
  return {.name = "log",
          .place = "each line of --log-file with --log-format json",
          .meaning = "One event.",
          .keys = {{"t", moment(), "when, UTC"},
                   {"level", text_of({"debug", "info", "warn"}), "how much it matters"},
                   {"stage", text(), "what goes on"},
                   {"message", text(), "one sentence"}},
          .says_what_it_is = false};
}

}  // namespace

std::vector<Document> machine_documents() { return {doctor(), error(), log()}; }

}  // namespace stemma::documents
