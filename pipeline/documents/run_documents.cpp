// Verdicts, manifest, status, and what is left of the points of a sweep.
#include "analyzers/verdict.hpp"
#include "io/archive/evidence.hpp"
#include "pipeline/documents/shared_shapes.hpp"

namespace stemma::documents {
namespace {

Document verdicts() {
  std::vector<std::string> declarations = names_up_to(Declaration::untestable);
  declarations.emplace_back("");
  const Shape verdict = object(
      {{"relation", relation(), "class of the strongest relation"},
       {"relative", text(), "id of the model to which it holds, \"\" where there is none"},
       {"sentence", text(), "what the weights of the two say, \"\" without a relative"},
       {"abstain_reason", text(), "why nothing can be said, \"\" where something is"},
       {"direction", text_of({"from_relative", "to_relative", "unknown"}), "who came first; never a claim"},
       {"log10_p", log10_p(), "of two independent models being so alike"},
       {"log10_p_corrected", log10_p(), "the same, for all pairs that were tested"},
       {"grade", grade().or_null(), "how that p-value was obtained"},
       {"tests", list(text()), "methods that say something about the two, and do not abstain"}});
  const Shape nearest =
      object({{"id", text(), "the model with the highest curve score; a ranking, no verdict"},
              {"score", number().or_null(), "that score"},
              {"percentile", number("percent").or_null(), "of the score among unrelated pairs"},
              {"percentile_basis", text(), "how the percentile was found"},
              {"background", text(), "which pairs are the unrelated ones"},
              {"background_n", count(), "how many they are"}});
  const Shape model =
      object({{"id", text(), "of the model"},
              {"content", hash(), "hash of what it holds, whatever its files are called"},
              {"declared", claims(), "where it is said to come from"},
              {"declaration", text_of(declarations), "what becomes of that; \"\" when nothing is to be said"},
              {"declaration_reason", text(), "why, in one sentence"},
              {"verdict", verdict, "what its weights say"},
              {"nearest_by_curve", nearest, "what the published curves alone would name"},
              {"others", list(text()), "further relations, as id:RELATION"}});
  return {
      .name = "verdicts",
      .place = "RUN/verdicts.json; stemma run --json",
      .meaning = "What the weights say about every model that is judged.",
      .keys = {version(),
               {"run", text(), "uuid of the run"},
               {"archive",
                object({{"file", text(), "name of the archive in the run directory"},
                        canonical_exact(),
                        canonical_all()}),
                "where every number behind the verdicts lies"},
               {"null_hypothesis", text(), "what a p-value is about"},
               {"pairs_tested", count(), "pairs of models that were compared"},
               {"fdr", number().or_null(), "level of false discoveries over all pairs; null: not compared"},
               {"models", list(model), "in the order of ids"},
               {"counts", map(count()), "models by what became of their declaration"},
               {"failed", list(text()), "ids of models of which no result is left"}}};
}

Document manifest() {
  const Shape tool = object({{"version", text(), "of stemma"},
                             {"commit", text(), "of its source"},
                             {"dirty", flag(), "the source was changed since"},
                             {"build_type", text(), "Release, Debug, ..."},
                             {"compiler", text(), "name and version"},
                             {"flags", text(), "of the compiler"}});
  const Shape libraries = object({{"hdf5", text(), "version"},
                                  {"mpi", text(), "what the library calls itself"},
                                  {"blas", text(), "its configuration"},
                                  {"blas_core", text(), "the kernels it chose"},
                                  {"elpa", text(), "version, or that it is absent"},
                                  {"scalapack", text(), "version, or that it is absent"},
                                  {"yaml_cpp", text(), "version"},
                                  {"libc", text(), "name and version"}});
  const Shape run = object({{"uuid", text(), "names the run for ever"},
                            {"argv", text(), "the command line"},
                            {"started", moment(), "UTC"},
                            {"ended", moment(), "UTC"},
                            {"exit_code", count(), "of the run"},
                            {"seed", count(), "of all draws"},
                            {"plan_digest", hash(), "of the plan"},
                            {"ranks", count(), "MPI processes"},
                            {"nodes", count(), "machines"},
                            {"cores_of_first_rank", list(count()).or_null(), "that it may use, by number"}});
  const Shape file = object(
      {{"path", text(), "of a file that was read"},
       {"bytes", bytes(), "its size"},
       {"mtime_ns", integer(), "its time of change, in nanoseconds since 1970"},
       {"sha256", hash().if_any(), "of its bytes, where it is known"},
       {"sha256_source", text_of({"hub", "computed"}).if_any(), "as its publisher says, or as computed"}});
  const Shape input = object({{"id", text(), "of the model"},
                              {"path", text(), "as it was named"},
                              {"files", list(file), "of its checkpoint"},
                              {"hf_commit", text(), "revision, \"\" where none is known"}});
  const Shape host = object({{"name", text().if_any(), "of the machine, unless paths are redacted"},
                             {"cpu", text(), "model of its processor"},
                             {"blas", text(), "configuration of BLAS there"},
                             {"blas_core", text(), "the kernels it chose"},
                             {"selftest", flag(), "linear algebra computes rightly there"}});
  const Shape slurm = object({{"job", text().if_any(), "SLURM_JOB_ID"},
                              {"array_job", text().if_any(), "SLURM_ARRAY_JOB_ID"},
                              {"array_task", text().if_any(), "SLURM_ARRAY_TASK_ID"},
                              {"restart_count", text().if_any(), "SLURM_RESTART_COUNT"},
                              {"nodelist", text().if_any(), "SLURM_JOB_NODELIST"},
                              {"partition", text().if_any(), "SLURM_JOB_PARTITION"}});
  return {.name = "manifest",
          .place = "RUN/manifest.json",
          .meaning = "Who made a run's files, from what, with what, where, and what is guaranteed.",
          .keys = {{"tool", tool, "the program"},
                   {"libraries", libraries, "of the machine of the first rank"},
                   {"run", run, "this run"},
                   {"config",
                    object({{"sha256", hash(), "of the configuration as it was given"},
                            {"resolved_sha256", hash(), "of config.resolved.yaml"},
                            {"overrides", list(text()), "what the command line changed"}}),
                    "what it was asked"},
                   {"inputs", list(input), "what it read"},
                   {"methods", map(count()), "versions of the methods, by name"},
                   {"machine", object({{"hosts", list(host), "every machine"}}), "where it ran"},
                   {"slurm", slurm, "of its job, empty outside of one"},
                   {"environment", map(text()), "variables that steer MPI, BLAS, HDF5 and threads"},
                   {"outputs",
                    list(object({{"file", text(), "in the run directory"},
                                 {"bytes", bytes(), "its size"},
                                 {"sha256", hash(), "of its bytes"}})),
                    "what it wrote, without the files that still change"},
                   {"guarantees",
                    object({canonical_exact(),
                            canonical_all(),
                            {"read_ratio", number().or_null(), "bytes read over bytes of weights"}}),
                    "what another run has to come to"}}};
}

Document status() {
  return {.name = "status",
          .place = "RUN/status.json",
          .meaning = "How far a run is; replaced as a whole every ten seconds.",
          .keys = {version(),
                   {"stage",
                    text_of({"start", "survey", "work", "compare", "trace", "archive", "report", "end",
                             "stopped", "failed"}),
                    "what goes on"},
                   {"unit", text(), "what done and total count: items, models, pairs"},
                   {"done", count(), "of this stage"},
                   {"total", count(), "of this stage"},
                   {"bytes", bytes(), "read in this stage"},
                   {"rate", number("bytes per second").or_null(),
                    "since the stage began; null when over, and where nothing is to be read"},
                   {"eta", seconds().or_null(), "to the end of the stage; null in its first 30 seconds"},
                   {"deadline", moment().or_null(), "when the run has to end, UTC; null where it need not"},
                   {"failed", count(), "results that could not be had"},
                   {"updated", moment(), "when this was written, UTC"},
                   {"exit_code", count().or_null(), "null while the run goes on"}}};
}

Document sweep() {
  const Shape point = object({{"point", count(), "its number, from 0"},
                              {"directory", text(), "of its run, in that of the sweep"},
                              {"settings", settings(), "what it varies"},
                              {"digest", hash(), "of its configuration"},
                              {"exit_code", count().or_null(), "null before its end"},
                              {"started", moment().or_null(), "UTC, null before it"},
                              {"seconds", seconds().or_null(), "that it took"},
                              {"canonical_exact", hash().or_null(), "of its archive"}});
  return {
      .name = "sweep",
      .place = "stemma run --json, of a sweep",
      .meaning = "What became of every point of a sweep.",
      .keys = {version(), {"directory", text(), "of the sweep"}, {"points", list(point), "in their order"}}};
}

Document point() {
  return {.name = "point",
          .place = "RUN/point.json, of a point of a sweep",
          .meaning = "Which point of a sweep a run is, and what became of it.",
          .keys = {{"point", count(), "its number, from 0"},
                   {"settings", settings(), "what it varies"},
                   {"digest", hash(), "of its configuration"},
                   {"started", moment(), "UTC"},
                   {"exit_code", count().or_null(), "null before its end"},
                   {"seconds", seconds().or_null(), "that it took"},
                   {"canonical_exact", hash(), "of its archive"}}};
}

Document receipt() {
  return {.name = "receipt",
          .place = "the file named by --receipt",
          .meaning = "That a command ended by itself: written as its last act.",
          .keys = {{"exit_code", count(), "of the command"},
                   {"runs", list(text()), "uuids of the runs that made an archive"}}};
}

Document store() {
  return {.name = "store",
          .place = "STORE.json, in every store",
          .meaning = "Whether this program can use a store.",
          .keys = {{"format", count(), "of the files beside it; newer ones are refused"}}};
}

}  // namespace

std::vector<Document> run_documents() {
  return {verdicts(), manifest(), status(), sweep(), point(), receipt(), store()};
}

}  // namespace stemma::documents
