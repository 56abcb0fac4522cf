// Coordinates first, by embeddings or else by neurons, layers in them, and whole functions and neurons where
// those leave a pair open.
#include "pipeline/trace.hpp"

#include <fmt/format.h>

#include "analyzers/aligned_heads.hpp"
#include "analyzers/aligned_neurons.hpp"
#include "analyzers/catalogue.hpp"
#include "analyzers/content_hash.hpp"
#include "analyzers/distributed/unison.hpp"
#include "analyzers/judge_lineage.hpp"
#include "analyzers/neuron_stream.hpp"
#include "analyzers/origin_summary.hpp"
#include "analyzers/origin_tracer.hpp"
#include "analyzers/same_function.hpp"
#include "pipeline/joined_pair.hpp"
#include "pipeline/machine.hpp"

namespace stemma {

namespace {

/// Rank 0's part.
class TraceLeader {
 public:
  TraceLeader(const TraceRequest& request, Log& log) : request_(request), log_(log) {}
  ~TraceLeader() {
    if (request_.maps == Leftovers::kept) return;
    std::error_code ignored;
    for (const auto& file : map_files_) std::filesystem::remove(file, ignored);
  }
  TraceLeader(const TraceLeader&) = delete;
  TraceLeader& operator=(const TraceLeader&) = delete;

  void begin_coordinates() {
    for (const TracePair& pair : request_.pairs)
      joined_.push_back(join(request_.models[pair.base], request_.models[pair.candidate], pair.equal));
    begin(coordinates_, "coordinates", joined_,
          {{&stream_alignment_analyzer(), {}}, {&reencoding_analyzer(), {{"layers", 0}}}});
  }

  /// Where embeddings give no map, neurons may.
  void begin_streams() {
    end(*coordinates_);
    alignments_.resize(joined_.size());
    for (std::uint32_t i = 0; i < joined_.size(); ++i) {
      FoundAlignment found = by_embeddings(i);
      if (found.alignment.change != StreamChange::unaligned || !found.map.empty()) {
        put_into_coordinates(i, std::move(found));
        continue;
      }
      unaligned_.push_back(i);
      joined_for_streams_.push_back(joined_[i]);
      alignments_[i] = std::move(found);
    }
    begin(streams_, "streams", joined_for_streams_, {{&neuron_stream_analyzer(), {}}});
  }

  void begin_layers() {
    end(*streams_);
    for (std::uint32_t n = 0; n < unaligned_.size(); ++n) {
      FoundAlignment found = std::move(alignments_[unaligned_[n]]);
      if (const auto features = streams_->of(n)("neuron_stream", "alignment"))
        if (FoundAlignment by_neurons = stream_alignment_of(*features); !by_neurons.map.empty()) {
          found = std::move(by_neurons);
          found.by_neurons = true;
        }
      put_into_coordinates(unaligned_[n], std::move(found));
    }
    begin(layers_, "layers", joined_,
          {{&origin_tracer_analyzer(), request_.origin_options}, {&reencoding_analyzer(), {{"layers", 1}}}});
  }

  /// Sums up the layers, and asks the pairs that they leave open.
  void begin_functions() {
    end(*layers_);
    for (std::uint32_t i = 0; i < request_.pairs.size(); ++i) {
      const TracePair& asked = request_.pairs[i];
      PairTrace& pair = result_.pairs.emplace_back();
      pair.base = asked.base;
      pair.candidate = asked.candidate;
      pair.origin = origin_trace(*joined_[i].pair, alignments_[i], layers_->of(i), request_.origin_options);
      pair.origin.base = request_.models[asked.base].request.id;
      pair.origin.candidate = request_.models[asked.candidate].request.id;
      const FeatureSource first = coordinates_->of(i), second = layers_->of(i);
      pair.content =
          reencoding_of(*joined_[i].pair, [&](std::string_view analyzer, std::string_view subject) {
            auto found = first(analyzer, subject);
            return found ? found : second(analyzer, subject);
          });
      if (!lineage_in_question(pair.origin, pair.content)) continue;
      const bool function = function_in_question(pair.origin, pair.content);
      in_question_.push_back({i, function});
      joined_for_functions_.push_back(joined_[i]);
      // Functions are asked with tokens, and of nobody who has none.
      if (function) add_tokens(joined_for_functions_.back());
    }
    begin(functions_, "functions", joined_for_functions_,
          {{&same_function_analyzer(), seed_of(request_.origin_options)},
           {&aligned_neurons_analyzer(), {}},
           {&aligned_heads_analyzer(), {}}});
  }

  Round* round() { return current_; }

  TraceResult conclude() {
    end(*functions_);
    for (std::uint32_t i = 0; i < in_question_.size(); ++i) {
      PairTrace& pair = result_.pairs[in_question_[i].pair];
      const ModelPair& joined = *joined_for_functions_[i].pair;
      if (in_question_[i].function) pair.function = same_function_of(joined, functions_->of(i));
      pair.neurons = aligned_neurons_of(joined, functions_->of(i), request_.rule);
      pair.neurons.pairs = in_question_.size();
      pair.heads = aligned_heads_of(joined, functions_->of(i));
    }
    return std::move(result_);
  }

 private:
  void begin(std::optional<Round>& round, const char* name, std::span<const SurveyedModel> work,
             const std::vector<Question>& questions) {
    current_ = &round.emplace(name, work, questions, request_.terms, log_);
  }

  static std::map<std::string, double> seed_of(const std::map<std::string, double>& options) {
    const auto seed = options.find("seed");
    if (seed == options.end()) return {};
    return {*seed};
  }

  void end(Round& round) {
    round.end();
    round.collect(result_.failures);
    result_.weight_bytes += round.plan().weight_bytes;
    result_.bytes_read += round.bytes_read();
    result_.seconds += round.seconds();
  }

  /// Embeddings that are known to be equal have the same axes; those that say nothing leave the pair
  /// unaligned.
  FoundAlignment by_embeddings(std::uint32_t i) const {
    if (const auto features = coordinates_->of(i)("stream_alignment", "alignment"))
      return stream_alignment_of(*features);
    FoundAlignment out;
    if (joined_[i].pair->equal.contains(path_of(Role{.part = Part::embed})))
      out.alignment.change = StreamChange::identity;
    return out;
  }

  void put_into_coordinates(std::uint32_t i, FoundAlignment found) {
    const auto file = request_.scratch / fmt::format("{}.map", name_of_map(found, i));
    if (!found.map.empty()) map_files_.push_back(file);
    align(joined_[i], found, file);
    forget_map(found);
    alignments_[i] = std::move(found);
  }

  /// Another attempt finds a map under the hash of its bytes, unchanged, and so the results that need it.
  std::string name_of_map(const FoundAlignment& found, std::uint32_t pair) const {
    if (request_.maps == Leftovers::removed) return fmt::format("{}.{}", run_, pair);
    return hex(hash_of(std::as_bytes(std::span(found.map))));
  }

  /// It is in its file now, and d x d numbers of every pair would be too many to keep.
  static void forget_map(FoundAlignment& found) {
    found.map = {};
    found.alignment.rotation = {};
    found.alignment.source = {};
    found.alignment.sign = {};
  }

  const TraceRequest& request_;
  Log& log_;
  std::vector<SurveyedModel> joined_, joined_for_streams_, joined_for_functions_;
  std::vector<std::uint32_t> unaligned_;  ///< pairs, one for each of joined_for_streams_
  struct InQuestion {
    std::uint32_t pair;
    bool function;  ///< asked as well as neurons
  };
  std::vector<InQuestion> in_question_;  ///< one for each of joined_for_functions_
  std::string run_ = new_uuid();
  std::vector<FoundAlignment> alignments_;  ///< by pair, without their maps once these are in files
  std::vector<std::filesystem::path> map_files_;
  std::optional<Round> coordinates_, streams_, layers_, functions_;
  Round* current_ = nullptr;
  TraceResult result_;
};

}  // namespace

std::optional<TraceResult> trace_pairs(const Communicator& ranks, CoordinatorMode mode,
                                       const TraceRequest* request, const ReaderMaker& reader, Log& log) {
  std::optional<TraceLeader> leader;
  const auto work_on = [&](const char* planning, void (TraceLeader::*begin)()) {
    in_unison(ranks, planning, [&] {
      if (leader) (*leader.*begin)();
    });
    work_through(ranks, mode, leader ? leader->round() : nullptr, reader);
  };
  if (request) leader.emplace(*request, log);
  work_on("planning the coordinates", &TraceLeader::begin_coordinates);
  work_on("planning the streams", &TraceLeader::begin_streams);
  work_on("planning the layers", &TraceLeader::begin_layers);
  work_on("planning the functions", &TraceLeader::begin_functions);
  std::optional<TraceResult> result;
  in_unison(ranks, "concluding the trace", [&] {
    if (leader) result = leader->conclude();
  });
  return result;
}

}  // namespace stemma
