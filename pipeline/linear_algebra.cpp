// A library is trusted after it was checked, on every rank and before any work.
#include "pipeline/linear_algebra.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "analyzers/numerics/blas_selftest.hpp"
#include "pipeline/clock.hpp"
#include "pipeline/wording.hpp"

namespace stemma {

using SortedJson = nlohmann::json;

LinearAlgebra examine_linear_algebra() {
  LinearAlgebra algebra{.blas = describe_blas()};
  const Stopwatch watch;
  algebra.complaints = blas_selftest();
  algebra.seconds = watch.seconds();
  return algebra;
}

std::string encode(const LinearAlgebra& algebra) {
  return SortedJson{
      {"flavour", algebra.blas.flavour}, {"core", algebra.blas.core},
      {"config", algebra.blas.config},   {"threading", static_cast<int>(algebra.blas.threading)},
      {"threads", algebra.blas.threads}, {"complaints", algebra.complaints},
      {"seconds", algebra.seconds}}
      .dump(-1, ' ', false, SortedJson::error_handler_t::replace);
}

LinearAlgebra decode_linear_algebra(const std::string& text) {
  const SortedJson j = SortedJson::parse(text);
  LinearAlgebra algebra;
  algebra.blas = {j.at("flavour"), j.at("core"), j.at("config"),
                  static_cast<BlasThreading>(j.at("threading").get<int>()), j.at("threads")};
  algebra.complaints = j.at("complaints");
  algebra.seconds = j.at("seconds");
  return algebra;
}

std::string distrust(std::span<const LinearAlgebra> ranks, std::span<const std::string> hosts) {
  std::size_t first = ranks.size(), failing = 0;
  for (std::size_t rank = ranks.size(); rank-- > 0;) {
    if (ranks[rank].complaints.empty()) continue;
    first = rank;
    ++failing;
  }
  if (failing == 0) return "";
  const LinearAlgebra& wrong = ranks[first];
  const std::string others =
      failing == 1 ? "" : fmt::format(", as on {}", counted(failing - 1, "other rank"));
  const std::string more =
      wrong.complaints.size() == 1
          ? ""
          : fmt::format(" and {}", counted(wrong.complaints.size() - 1, "more complaint"));
  return fmt::format(
      "the linear algebra of rank {} on {} computes wrongly{} ({}{}; {}{}{}), so no number of this run could "
      "be trusted. Leave that host out, take a newer BLAS, or set OPENBLAS_CORETYPE=Haswell and see whether "
      "stemma doctor is content",
      first, hosts[first], others, wrong.complaints.front(), more, wrong.blas.flavour,
      wrong.blas.core.empty() ? "" : " for ", wrong.blas.core);
}

std::string kind_of(const BlasDescription& blas) {
  return fmt::format("{}{}", blas.build(), blas.core.empty() ? "" : " for " + blas.core);
}

std::string differences(std::span<const LinearAlgebra> ranks, std::span<const std::string> hosts) {
  for (std::size_t rank = 1; rank < ranks.size(); ++rank) {
    if (kind_of(ranks[rank].blas) == kind_of(ranks[0].blas)) continue;
    return fmt::format(
        "the ranks do not share one linear algebra ({} on {}, {} on {}), so the last bits of a spectrum "
        "depend on who computes it. Set OPENBLAS_CORETYPE on all ranks to the oldest of these cores",
        kind_of(ranks[0].blas), hosts[0], kind_of(ranks[rank].blas), hosts[rank]);
  }
  return "";
}

std::optional<Problem> stray_threads(const BlasDescription& blas, const char* omp_num_threads) {
  if (blas.threading != BlasThreading::openmp) return std::nullopt;
  if (omp_num_threads != nullptr && std::string_view(omp_num_threads) == "1") return std::nullopt;
  return Problem{.file = "",
                 .line = 0,
                 .column = 0,
                 .key = "",
                 .message = fmt::format("OMP_NUM_THREADS is {}, and this OpenBLAS starts OpenMP threads that "
                                        "nothing inside the program can stop. Set OMP_NUM_THREADS=1",
                                        omp_num_threads == nullptr ? "not set" : omp_num_threads),
                 .place = ""};
}

}  // namespace stemma
