// Factors are read by rank 0, the weights that they update by all.
#include "pipeline/adapter_trace.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "analyzers/adapter_update.hpp"
#include "analyzers/distributed/unison.hpp"
#include "analyzers/histogram.hpp"
#include "analyzers/tensor_marks.hpp"
#include "io/formats/descriptor.hpp"
#include "io/formats/file_reader.hpp"
#include "pipeline/adapter_fit.hpp"
#include "pipeline/clock.hpp"
#include "pipeline/wording.hpp"

namespace stemma {

namespace {

std::vector<double> transposed(std::span<const double> m, std::uint64_t rows, std::uint64_t cols) {
  std::vector<double> out(m.size());
  for (std::uint64_t r = 0; r < rows; ++r)
    for (std::uint64_t c = 0; c < cols; ++c) out[c * rows + r] = m[r * cols + c];
  return out;
}

/// Both factors of a module in canonical form: b (out, r), a (r, in).
struct Factors {
  std::vector<double> b, a;
  Dtype dtype_b, dtype_a;
};

Factors factors_of(const Adapter& adapter, const LoraPair& pair, ByteReader& reader) {
  Factors f{read_factor(adapter, pair.b, reader), read_factor(adapter, pair.a, reader), pair.b.dtype,
            pair.a.dtype};
  if (!pair.embedding) return f;
  return {transposed(f.a, pair.a.shape[0], pair.a.shape[1]),
          transposed(f.b, pair.b.shape[0], pair.b.shape[1]), f.dtype_a, f.dtype_b};
}

/// Rows of b that belong to one part of a fused weight.
std::vector<double> rows_of(std::span<const double> b, std::uint64_t inner, const Matrix& matrix) {
  std::vector<double> out;
  out.reserve(matrix.rows * inner);
  for (std::uint64_t r = 0; r < matrix.rows; ++r) {
    const auto row = b.subspan(matrix.slice.stored_row(r) * inner, inner);
    out.insert(out.end(), row.begin(), row.end());
  }
  return out;
}

std::vector<std::string> remarks_on(const LoraPair& pair, const AdapterUpdate& update,
                                    std::uint64_t shortest) {
  std::vector<std::string> out;
  if (pair.rank != pair.stored_rank())
    out.push_back(
        fmt::format("states rank {}, but its factors have rank {} at most", pair.rank, pair.stored_rank()));
  if (pair.rank > shortest)
    out.push_back(fmt::format("states rank {}, which no matrix of this shape has: its shorter side is {}",
                              pair.rank, shortest));
  if (update.rank == 0)
    out.emplace_back(update.norm == 0 ? "changes nothing" : "is lost in the rounding of its factors");
  return out;
}

/// Rank 0's part.
class AdapterLeader {
 public:
  AdapterLeader(const AdapterRequest& request, Log& log) : request_(request), log_(log) {}

  void begin() {
    const Stopwatch watch;
    FileReader reader;
    const Model& model = *request_.base->model;
    const Adapter adapter = open_adapter(request_.path, reader);
    const std::vector<FittedPair> pairs = fit_adapter(adapter, model);
    for (const FittedPair& pair : pairs) add_rows(adapter, pair, reader);
    std::ranges::sort(found_, {}, &Found::matrix);
    describe(adapter);
    result_.bytes_read = reader.bytes_read();
    result_.seconds = watch.seconds();
    log_.info("adapter", fmt::format("{} with factors, {} read in {}", counted(pairs.size(), "module"),
                                     bytes_words(static_cast<double>(result_.bytes_read)),
                                     duration_words(result_.seconds)));
    plan_norms(model);
  }

  Round* round() { return &*norms_; }

  AdapterTrace conclude() {
    norms_->end();
    norms_->collect(result_.failures);
    result_.weight_bytes += norms_->plan().weight_bytes;
    result_.bytes_read += norms_->bytes_read();
    result_.seconds += norms_->seconds();
    const FeatureSource features = norms_->of(0);
    for (Found& found : found_) {
      relate(found, features);
      result_.rows.push_back(std::move(found.row));
    }
    return std::move(result_);
  }

 private:
  struct Found {
    std::uint32_t matrix = 0;  ///< of the base
    AdapterRow row;
  };

  void add_rows(const Adapter& adapter, const FittedPair& fitted, ByteReader& reader) {
    const LoraPair& pair = *fitted.pair;
    const Model& model = *request_.base->model;
    const Factors factors = factors_of(adapter, pair, reader);
    result_.weight_bytes += pair.a.bytes + pair.b.bytes;
    for (const std::uint32_t i : fitted.matrices) {
      const Matrix& matrix = model.matrices[i];
      const std::vector<double> b = rows_of(factors.b, pair.stored_rank(), matrix);
      auto update = read_adapter_update({b, factors.a, matrix.rows, pair.stored_rank(), matrix.cols,
                                         factors.dtype_b, factors.dtype_a, pair.scale},
                                        request_.seed);
      if (!update)
        throw InvalidInput({.rule = "adapter.nonfinite",
                            .file = file_name_of(adapter.file.path),
                            .tensor = pair.b.name,
                            .found = "an update beyond what a double can hold",
                            .hint = "the training went wrong: take an earlier state of it"});
      Found& found = found_.emplace_back();
      found.matrix = i;
      AdapterRow& row = found.row;
      row.role = path_of(matrix, model.checkpoint);
      const bool known = matrix.role.part != Part::unknown && matrix.role.part != Part::other;
      row.part = known ? std::string(name_of(matrix.role.part)) : pair.module;
      row.module = pair.module;
      row.nominal = pair.rank;
      row.stored = pair.stored_rank();
      row.alpha = pair.alpha;
      row.scale = pair.scale;
      row.rank = update->rank;
      row.noise_edge = update->noise_edge;
      row.norm = update->norm;
      row.remarks = remarks_on(pair, *update, std::min(fitted.rows(), fitted.cols()));
      row.values = std::move(update->values);
    }
  }

  void describe(const Adapter& adapter) {
    result_.base = request_.base->request.id;
    result_.adapter = request_.id;
    result_.declared_base = adapter.config.base;
    result_.rank_stabilised = adapter.config.rank_stabilised;
    for (const StoredTensor& other : adapter.others) result_.others.push_back(other.name);
    if (adapter.config.changes_base())
      result_.remarks.push_back(
          fmt::format("init_lora_weights is {}: unless it was converted, the adapter belongs to a base that "
                      "was changed with it",
                      printable(adapter.config.initialisation, 60)));
    if (!adapter.others.empty())
      result_.remarks.push_back(fmt::format(
          "{} of the adapter {} no factor and {} not read: {}", counted(adapter.others.size(), "tensor"),
          adapter.others.size() == 1 ? "is" : "are", adapter.others.size() == 1 ? "was" : "were",
          printable(adapter.others.front().name) + (adapter.others.size() > 1 ? ", ..." : "")));
  }

  /// A model of the adapted weights alone: each is one item, or part of one.
  void plan_norms(const Model& model) {
    SurveyedModel norms = *request_.base;
    norms.model->matrices.clear();
    for (const Found& found : found_) {
      const Matrix& matrix = model.matrices[found.matrix];
      if (is_plain_float(dtype_of(model, matrix))) norms.model->matrices.push_back(matrix);
    }
    weights_.push_back(std::move(norms));
    norms_.emplace("norms", weights_, std::vector<Question>{{&histogram_analyzer(), {}}}, request_.terms,
                   log_);
  }

  void relate(Found& found, const FeatureSource& features) const {
    const Model& model = *request_.base->model;
    const Matrix& matrix = model.matrices[found.matrix];
    const Dtype dtype = dtype_of(model, matrix);
    AdapterRow& row = found.row;
    if (!is_plain_float(dtype)) {
      row.remarks.push_back(
          fmt::format("the base stores this weight as {}, whose size is not read", name_of(dtype)));
      return;
    }
    const auto norm = measured(features, "histogram", subject_of(matrix, model));
    if (!norm) {
      row.remarks.emplace_back("the base's weight could not be read");
      return;
    }
    if (norm->status == Status::nonfinite) {
      row.remarks.emplace_back("the base's weight has elements that are not finite");
      return;
    }
    row.weight_norm = std::sqrt(number_in(*norm, "frobenius_sq"));
    if (row.weight_norm > 0) row.update = row.norm / row.weight_norm;
  }

  const AdapterRequest& request_;
  Log& log_;
  std::vector<Found> found_;
  std::vector<SurveyedModel> weights_;
  std::optional<Round> norms_;
  AdapterTrace result_;
};

std::string span_words(std::uint64_t least, std::uint64_t most) {
  return least == most ? fmt::format("{}", least) : fmt::format("{} to {}", least, most);
}

}  // namespace

std::optional<AdapterTrace> trace_adapter(const Communicator& ranks, CoordinatorMode mode,
                                          const AdapterRequest* request, const ReaderMaker& reader,
                                          Log& log) {
  std::optional<AdapterLeader> leader;
  in_unison(ranks, "reading the adapter", [&] {
    if (!request) return;
    leader.emplace(*request, log);
    leader->begin();
  });
  work_through(ranks, mode, leader ? leader->round() : nullptr, reader);
  std::optional<AdapterTrace> result;
  in_unison(ranks, "concluding the trace", [&] {
    if (leader) result = leader->conclude();
  });
  return result;
}

Pair adapter_verdict(const AdapterTrace& trace, std::uint32_t base, std::uint32_t adapter) {
  Pair pair;
  pair.a = base;
  pair.b = adapter;
  // It holds no weight of the model that it was trained on: an adapter fits every model of these shapes.
  pair.relation = Relation::abstain;
  pair.reason = "no_valid_null";
  const auto [low, high] = std::ranges::minmax_element(trace.rows, {}, &AdapterRow::nominal);
  const auto [least, most] = std::ranges::minmax_element(trace.rows, {}, &AdapterRow::rank);
  std::vector<std::string> parts;
  for (const AdapterRow& row : trace.rows)
    if (std::ranges::find(parts, row.part) == parts.end()) parts.push_back(row.part);
  constexpr std::size_t most_parts = 12;
  const std::span<const std::string> named = std::span(parts).first(std::min(parts.size(), most_parts));
  std::string where = fmt::format("{}", fmt::join(named, ", "));
  if (parts.size() > most_parts) where += fmt::format(" and {} more", parts.size() - most_parts);
  pair.sentence = fmt::format(
      "An adapter of rank {} (by its own statement; numerically {}) on {}. It fits {} in shape, which is no "
      "evidence of who it was trained on.",
      span_words(low->nominal, high->nominal), span_words(least->rank, most->rank), where, trace.base);
  if (!trace.others.empty())
    pair.sentence += fmt::format(" It also holds {} beside its factors, not read.",
                                 counted(trace.others.size(), "tensor"));
  return pair;
}

}  // namespace stemma
