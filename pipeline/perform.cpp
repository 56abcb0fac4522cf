// The tensors go by once, and every subject listens to those that it asked for.
#include "pipeline/perform.hpp"

#include <algorithm>
#include <limits>
#include <map>
#include <new>
#include <optional>
#include <stdexcept>

#include "analyzers/catalogue.hpp"
#include "analyzers/content_hash.hpp"
#include "analyzers/distributed/unison.hpp"
#include "io/model/widen.hpp"
#include "pipeline/clock.hpp"
#include "pipeline/held_reader.hpp"
#include "pipeline/machine.hpp"
#include "pipeline/stop_signal.hpp"
#include "pipeline/team_reader.hpp"

namespace stemma {
namespace {

/// One subject on its way from begin to finish.
struct Running {
  const Subject* subject = nullptr;
  const Method* analyzer = nullptr;
  bool here = true;                          ///< whether this rank takes part
  bool together = false;                     ///< whether its team decomposes it
  bool same = false;                         ///< whether the result of equal tensors stands for it
  Hash128 content;                           ///< what was asked for
  std::uint32_t first = none, last = none;   ///< of its streamed tensors
  std::unique_ptr<Measurement> measurement;  ///< empty once it failed or finished
  Features features;
  std::string rule, problem, suggestion;
  double spent = 0;  ///< seconds since the item began when it failed or finished
  const Stopwatch* watch = nullptr;

  static constexpr std::uint32_t none = std::numeric_limits<std::uint32_t>::max();

  /// Runs one step; an exception ends this subject and no other.
  template <class Step>
  void attempt(Step&& step) {
    if (!rule.empty() || !here) return;
    try {
      step();
    } catch (const InvalidInput& error) {
      fail(error.finding().rule, error.what(), error.finding().hint);
    } catch (const std::bad_alloc&) {
      fail("item.out_of_memory", "out of memory",
           "set runtime.memory_per_rank higher, or start fewer ranks per node");
    } catch (const std::exception& error) {
      fail("item.failed", error.what(), "");
    } catch (...) {
      fail("item.failed", "something that is no exception was thrown", "");
    }
  }
  void fail(std::string which, std::string what, std::string hint) {
    measurement.reset();
    spent = watch->seconds();
    rule = std::move(which);
    problem = std::move(what);
    suggestion = std::move(hint);
  }
};

/// Which input of which subject a matrix is, or which of its stored tensors.
struct Listener {
  std::size_t running = 0;
  std::size_t input = 0;
};

std::vector<double> read_whole(const WorkOrder& order, const Matrix& matrix, ByteReader& reader) {
  const StoredTensor& tensor = order.tensors[matrix.tensor];
  std::vector<double> values(matrix.elements());
  stream_tensor(order.files[tensor.file], tensor, std::span(&matrix, 1), reader, {},
                [&](std::size_t, const Panel& panel) {
                  widen(tensor.dtype, panel.bytes,
                        std::span(values).subspan(panel.first_row * matrix.cols, panel.rows * matrix.cols));
                });
  reader.check(source_of(order.files[tensor.file], tensor));
  return values;
}

/// Some rows of a matrix, one behind the other. Where rows are stored columns, all of them are read.
std::vector<double> read_rows(const WorkOrder& order, const Matrix& matrix,
                              std::span<const std::uint32_t> rows, ByteReader& reader) {
  const StoredTensor& tensor = order.tensors[matrix.tensor];
  std::vector<double> values(rows.size() * matrix.cols);
  const auto place = [&](std::size_t i) { return std::span(values).subspan(i * matrix.cols, matrix.cols); };
  if (matrix.transposed) {
    const std::vector<double> whole = read_whole(order, matrix, reader);
    for (std::size_t i = 0; i < rows.size(); ++i)
      std::ranges::copy(std::span(whole).subspan(rows[i] * matrix.cols, matrix.cols), place(i).begin());
    return values;
  }
  const SourceFile source = source_of(order.files[tensor.file], tensor);
  std::vector<std::byte> bytes(matrix.cols * bits_of(tensor.dtype) / 8);
  const std::uint64_t first = tensor.offset + matrix.first_element * bits_of(tensor.dtype) / 8;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    reader.read(source, first + matrix.slice.stored_row(rows[i]) * bytes.size(), bytes);
    widen(tensor.dtype, bytes, place(i));
  }
  reader.check(source);
  return values;
}

std::vector<Input> inputs_of(const WorkOrder& order, const Subject& subject) {
  return inputs_of(subject, order.matrices, order.tensors);
}

/// One item on its way: alone (no team) or together. Where there is a team, all its ranks go through the same
/// calls in the same order; what only one rank does cannot end them there.
class Performance {
 public:
  Performance(const WorkOrder& order, ByteReader& reader, Team* team)
      : order_(order), reader_(reader), team_(team), runs_(order.subjects.size()) {
    if (team) team_reader_.emplace(*team, reader);
    for (std::size_t r = 0; r < runs_.size(); ++r) enroll(runs_[r], order.subjects[r]);
  }

  /// Holds the tensors and leaves out what is known of their contents. What cannot be read is not held: it
  /// fails when it is streamed.
  void ask(HeldReader& held, const ContentAsker& ask);

  /// Everything fails for the same reason.
  void fail_all(const std::exception_ptr& failure) {
    for (Running& running : runs_) {
      running.attempt([&] { std::rethrow_exception(failure); });
      finish(running);
    }
  }

  void stream_all() {
    for (std::uint32_t t = 0; t < order_.streamed; ++t) {
      give_up_if_asked();
      for (Running& running : runs_)
        if (running.first == t) begin(running);
      stream(t);
      for (Running& running : runs_)
        if (running.last == t) finish(running);
    }
    for (Running& running : runs_) {
      if (running.first != Running::none) continue;
      begin(running);
      if (running.subject->file) stream_file(order_.files[*running.subject->file], running);
      finish(running);
    }
  }

  ItemResult result() {
    ItemResult out{.item = order_.item};
    out.keys = work_keys(order_);
    for (Running& running : runs_) {
      out.features.push_back(std::move(running.features));
      out.spent.push_back(running.spent);
      if (!order_.asks) continue;
      out.contents.push_back(running.content);
      out.same.push_back(running.same ? 1 : 0);
    }
    out.peak_memory = peak_memory();
    out.ended = utc_now();
    out.seconds = watch_.seconds();
    return out;
  }

 private:
  void give_up_if_asked() const {
    if (!team_ && stop_wish() == StopWish::at_once) throw Abandoned();
  }

  void enroll(Running& running, const Subject& subject) {
    running.subject = &subject;
    running.watch = &watch_;
    running.analyzer = method_named(subject.analyzer);
    running.together = team_ && running.analyzer &&
                       running.analyzer->cost(subject, inputs_of(order_, subject)).decomposition;
    running.here = !team_ || team_->ranks().leads() || running.together;
    const auto needs = [&](std::uint32_t tensor) {
      if (tensor >= order_.streamed) return;
      running.first = running.first == Running::none ? tensor : std::min(running.first, tensor);
      running.last = running.last == Running::none ? tensor : std::max(running.last, tensor);
    };
    for (const std::uint32_t m : subject.matrices) needs(order_.matrices[m].tensor);
    for (const std::uint32_t t : subject.stored) needs(t);
  }

  void begin(Running& running) {
    running.attempt([&] {
      if (!running.analyzer) throw std::logic_error("no analyzer is called " + running.subject->analyzer);
      const std::vector<Input> inputs = inputs_of(order_, *running.subject);
      std::vector<std::vector<double>> companions;
      for (const std::uint32_t m : running.subject->companions) companions.push_back(whole(m));
      for (const std::uint32_t m : running.subject->anchored) companions.push_back(anchor_rows(m));
      running.measurement =
          running.together ? running.analyzer->begin_together(*running.subject, inputs, companions, *team_)
                           : running.analyzer->begin(*running.subject, inputs, companions);
    });
  }

  /// A companion, read once for all subjects of the item.
  const std::vector<double>& whole(std::uint32_t matrix) {
    const auto known = whole_.find(matrix);
    if (known != whole_.end()) return known->second;
    return whole_.emplace(matrix, read_whole(order_, order_.matrices[matrix], reader_)).first->second;
  }

  /// Rows of an embedding, read once for all subjects of the item.
  const std::vector<double>& anchor_rows(std::uint32_t matrix) {
    const auto known = anchor_rows_.find(matrix);
    if (known != anchor_rows_.end()) return known->second;
    std::vector<double> rows = read_rows(order_, order_.matrices[matrix], order_.anchors, reader_);
    return anchor_rows_.emplace(matrix, std::move(rows)).first->second;
  }

  Hash128 content_of(const Matrix& matrix, HeldReader& held) const;
  void stream(std::uint32_t index);
  void stream_file(const SourceFile& file, Running& running) {
    running.attempt([&] {
      reader_.stream(file, 0, file.bytes, request_bytes,
                     [&](std::span<const std::byte> part) { running.measurement->take_stored(0, part); });
      reader_.check(file);
    });
  }

  void finish(Running& running) {
    Features features;
    running.attempt([&] { features = running.measurement->finish(); });
    features.analyzer = running.subject->analyzer;
    features.version = running.analyzer ? running.analyzer->version() : 0;
    features.subject = running.subject->path;
    if (running.rule.empty()) {
      running.spent = watch_.seconds();
    } else {
      features.status = Status::failed;
      features.rule = running.rule;
      features.problem = running.problem;
      features.suggestion = running.suggestion;
    }
    running.measurement.reset();
    running.features = std::move(features);
  }

  const WorkOrder& order_;
  ByteReader& reader_;
  Team* team_;
  std::optional<TeamReader> team_reader_;
  std::map<std::uint32_t, std::vector<double>> whole_;  ///< companions by matrix
  std::map<std::uint32_t, std::vector<double>> anchor_rows_;
  Stopwatch watch_;
  std::vector<Running> runs_;
};

void Performance::stream(std::uint32_t index) {
  const StoredTensor& tensor = order_.tensors[index];
  std::vector<Matrix> views;
  std::vector<std::vector<Listener>> listeners;
  std::vector<Listener> wants_stored;
  std::vector<int> view_of(order_.matrices.size(), -1);
  for (std::size_t r = 0; r < runs_.size(); ++r) {
    const Subject& subject = *runs_[r].subject;
    if (!runs_[r].here) continue;
    for (std::size_t i = 0; i < subject.stored.size(); ++i)
      if (subject.stored[i] == index) wants_stored.push_back({r, i});
    for (std::size_t i = 0; i < subject.matrices.size(); ++i) {
      const std::uint32_t m = subject.matrices[i];
      if (order_.matrices[m].tensor != index) continue;
      if (view_of[m] < 0) {
        view_of[m] = static_cast<int>(views.size());
        views.push_back(order_.matrices[m]);
        listeners.emplace_back();
      }
      listeners[static_cast<std::size_t>(view_of[m])].push_back({r, i});
    }
  }
  StoredSink stored;
  if (!wants_stored.empty())
    stored = [&](std::span<const std::byte> bytes) {
      for (const Listener& l : wants_stored)
        runs_[l.running].attempt([&] { runs_[l.running].measurement->take_stored(l.input, bytes); });
    };
  const PanelSink panels = [&](std::size_t view, const Panel& panel) {
    give_up_if_asked();
    for_each_block(panel.bytes, [&](std::span<const std::byte> block) {
      for (const Listener& l : listeners[view])
        runs_[l.running].attempt([&] { runs_[l.running].measurement->take_elements(l.input, block); });
    });
    for (const Listener& l : listeners[view])
      runs_[l.running].attempt([&] { runs_[l.running].measurement->take(l.input, panel); });
  };
  const auto everybody = [&](const auto& what) {
    for (const Listener& l : wants_stored) runs_[l.running].attempt(what);
    for (const auto& group : listeners)
      for (const Listener& l : group) runs_[l.running].attempt(what);
  };
  std::exception_ptr failure;
  try {
    ByteReader& tensors = team_reader_ ? static_cast<ByteReader&>(*team_reader_) : reader_;
    stream_tensor(order_.files[tensor.file], tensor, views, tensors, stored, panels);
    tensors.check(source_of(order_.files[tensor.file], tensor));
  } catch (const Abandoned&) {
    throw;
  } catch (...) {
    failure = std::current_exception();
  }
  if (team_reader_) failure = team_reader_->settle(failure);
  if (failure) everybody([&] { std::rethrow_exception(failure); });
}

void Performance::ask(HeldReader& held, const ContentAsker& ask) {
  std::vector<std::size_t> asking;
  std::vector<Hash128> keys;
  std::map<std::uint32_t, Hash128> known;
  try {
    for (std::size_t r = 0; r < runs_.size(); ++r) {
      const Subject& subject = order_.subjects[r];
      if (!runs_[r].analyzer || !runs_[r].analyzer->by_content()) continue;
      std::vector<Hash128> contents;
      for (const std::uint32_t m : subject.matrices) {
        if (!known.contains(m)) known[m] = content_of(order_.matrices[m], held);
        contents.push_back(known.at(m));
      }
      asking.push_back(r);
      keys.push_back(content_key(order_, subject, contents));
    }
  } catch (const InvalidInput&) {
    return;
  } catch (const std::bad_alloc&) {
    return;  // without holding it may still fit
  }
  if (keys.empty()) return;
  const std::vector<std::uint8_t> answers = ask(keys);
  for (std::size_t i = 0; i < asking.size(); ++i) {
    Running& running = runs_[asking[i]];
    running.content = keys[i];
    running.same = answers[i] != 0;
    if (running.same) running.here = false;
  }
}

Hash128 Performance::content_of(const Matrix& matrix, HeldReader& held) const {
  const StoredTensor& tensor = order_.tensors[matrix.tensor];
  held.hold(order_.files[tensor.file], tensor);
  held.check(source_of(order_.files[tensor.file], tensor));
  ContentHash hash;
  stream_tensor(order_.files[tensor.file], tensor, std::span(&matrix, 1), held, {},
                [&](std::size_t, const Panel& panel) { hash.add(panel.bytes); });
  return hash.finish();
}

}  // namespace

ItemResult perform(const WorkOrder& order, ByteReader& reader, const ContentAsker& ask) {
  const std::uint64_t before = reader.bytes_read();
  HeldReader held(reader);
  Performance performance(order, held, nullptr);
  if (order.asks && ask) performance.ask(held, ask);
  performance.stream_all();
  ItemResult result = performance.result();
  result.bytes_read = reader.bytes_read() - before;
  return result;
}

ItemResult perform_together(const WorkOrder& order, Team& team, ByteReader& reader) {
  const std::uint64_t before = reader.bytes_read();
  Performance performance(order, reader, &team);
  std::exception_ptr no_room;  // for all ranks alike
  try {
    team.shared(Team::Use::reading, 2 * request_bytes);
  } catch (...) {
    no_room = std::current_exception();
  }
  if (no_room) {
    performance.fail_all(no_room);
  } else {
    performance.stream_all();
  }
  ItemResult result = performance.result();
  result.bytes_read = static_cast<std::uint64_t>(
      team.ranks().all_reduce_sum(static_cast<double>(reader.bytes_read() - before)));
  return result;
}

}  // namespace stemma
