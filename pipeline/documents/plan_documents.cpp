// What is known of a run before it begins, and the rates by which that is told.
#include "pipeline/documents/shared_shapes.hpp"

namespace stemma::documents {
namespace {

Document plan() {
  const Shape column = object(
      {{"ranks", count(), "MPI processes"},
       {"workers", count(), "of these, processes that compute"},
       {"slots_per_node", count(), "of these, on each machine"},
       {"items", count(), "pieces of work"},
       {"items_by_width", map(count()), "items by the number of ranks that do one together"},
       {"infeasible", count(), "items for which there is nowhere memory enough"},
       {"weight_bytes", bytes(), "of all weights"},
       {"read_bytes", bytes(), "to be read in all"},
       {"read_twice_bytes", bytes(), "of these, read again in smaller pieces"},
       {"memory_per_rank", bytes(), "that a rank may use"},
       {"peak_memory", bytes(), "that a rank will use at most"},
       {"work_seconds", number("rank-seconds"), "of all items, each at its width"},
       {"lower_bound_seconds", seconds(), "no order of the items takes less"},
       {"makespan_seconds", seconds(), "predicted"},
       {"uneven_makespan_seconds", seconds(), "predicted, if times vary by a tenth"},
       {"efficiency", number(), "share of the ranks' time that is work of one rank alone"},
       {"width_efficiency", number(), "its part that teams leave"},
       {"packing_efficiency", number(), "its part that waiting at the end leaves"},
       {"critical", number(), "1 where all ranks share the work evenly, more where one item is too long"},
       {"lambda_seconds", seconds().or_null(), "no item longer than this is left to one rank; null: any is"},
       {"digest", hash(), "of the plan: the same on every rank and machine"}});
  const Shape item = object({{"model", text(), "id"},
                             {"item", text(), "the first tensor that it reads, or the file"},
                             {"tensors", count(), "of these"},
                             {"ranks", count(), "that do it together"},
                             {"seconds", seconds().or_null(), "predicted; null where it fits nowhere"},
                             {"bytes", bytes(), "that it reads"},
                             {"memory", bytes(), "of each of its ranks"},
                             {"fits", flag(), "into the memory of a rank"}});
  const Shape sweep = object({{"points", count(), "of the sweep"},
                              {"mode", text_of({"grid", "zip"}), "how its values are combined"},
                              {"over", map(list(text())), "values by dotted key"},
                              {"planned", count(), "which point this is the plan of"}});
  return {.name = "plan",
          .place = "stemma plan --json; stemma run --dry-run --json",
          .meaning = "What a run would read, need and take.",
          .keys = {version(),
                   {"models", count(), "that are named"},
                   {"failed",
                    list(object({{"id", text(), "of the model"},
                                 {"rule", text(), "that its files break"},
                                 {"problem", text(), "in a sentence"}})),
                    "models that cannot be read"},
                   {"cost_model", text(), "where the rates come from"},
                   {"plans", list(column), "one for each number of ranks"},
                   {"items", list(item).if_any(), "with --items: every item, longest first"},
                   {"sbatch", text().if_any(), "with --sbatch: a script for Slurm"},
                   {"sweep", sweep.if_any(), "of a configuration with a sweep"}}};
}

Document calibration() {
  const Shape rate = number("1 per second");
  return {.name = "calibration",
          .place = "RUN/calibration.json, for stemma plan --calibration",
          .meaning = "How fast one rank of a machine is.",
          .keys = {{"name", text(), "where it was measured"},
                   {"product_flops_per_second", rate, "products of matrices"},
                   {"eigenvalue_rates",
                    list(object({{"k", count(), "side of the matrix"},
                                 {"flops_per_second", rate, "eigenvalues of such a matrix"}})),
                    "ascending by side"},
                   {"read_bytes_per_second", number("bytes per second"), "from the disk"},
                   {"scan_bytes_per_second", number("bytes per second"), "bytes to histograms and sums"},
                   {"loop_flops_per_second", rate, "plain loops"},
                   {"team_efficiency", number(), "share of the speed of its ranks that a team has"},
                   {"step_seconds", seconds(), "that ranks of a team wait for each other at each step"},
                   {"item_seconds", seconds(), "for an item, whatever it is"}}};
}

}  // namespace

std::vector<Document> plan_documents() { return {plan(), calibration()}; }

}  // namespace stemma::documents
