// The tensors go by once, and every subject listens to those that it asked for.
#include "pipeline/perform.hpp"

#include <algorithm>
#include <cstring>
#include <new>
#include <optional>
#include <stdexcept>

#include "analyzers/catalogue.hpp"
#include "io/model/widen.hpp"
#include "pipeline/clock.hpp"

namespace stemma {
namespace {

/// One subject on its way from begin to finish.
struct Running {
  const Subject* subject = nullptr;
  const Analyzer* analyzer = nullptr;
  std::unique_ptr<Measurement> measurement;  ///< empty once it failed
  std::string rule, problem, suggestion;
  const Stopwatch* watch = nullptr;
  double spent = 0;  ///< seconds on that watch when it failed or finished

  /// Runs one step; an exception ends this subject and no other.
  template <class Step>
  void attempt(Step&& step) {
    if (!rule.empty()) return;
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

/// Which input of which subject a matrix is.
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
  reader.check(order.files[tensor.file]);
  return values;
}

std::vector<Input> inputs_of(const WorkOrder& order, const Subject& subject) {
  std::vector<Input> inputs;
  for (const std::uint32_t m : subject.matrices)
    inputs.push_back(input_of(order.matrices[m], order.tensors[order.matrices[m].tensor]));
  return inputs;
}

void begin(Running& running, const WorkOrder& order, ByteReader& reader) {
  running.attempt([&] {
    running.analyzer = analyzer_named(running.subject->analyzer);
    if (!running.analyzer) throw std::logic_error("no analyzer is called " + running.subject->analyzer);
    std::vector<std::vector<double>> companions;
    for (const std::uint32_t m : running.subject->companions)
      companions.push_back(read_whole(order, order.matrices[m], reader));
    running.measurement =
        running.analyzer->begin(*running.subject, inputs_of(order, *running.subject), companions);
  });
}

void stream(const WorkOrder& order, std::uint32_t index, std::vector<Running>& runs, ByteReader& reader) {
  const StoredTensor& tensor = order.tensors[index];
  std::vector<Matrix> views;
  std::vector<std::vector<Listener>> listeners;
  std::vector<std::size_t> wants_stored;
  std::vector<int> view_of(order.matrices.size(), -1);
  for (std::size_t r = 0; r < runs.size(); ++r) {
    const Subject& subject = *runs[r].subject;
    if (subject.stored == index) wants_stored.push_back(r);
    for (std::size_t i = 0; i < subject.matrices.size(); ++i) {
      const std::uint32_t m = subject.matrices[i];
      if (order.matrices[m].tensor != index) continue;
      if (view_of[m] < 0) {
        view_of[m] = static_cast<int>(views.size());
        views.push_back(order.matrices[m]);
        listeners.emplace_back();
      }
      listeners[static_cast<std::size_t>(view_of[m])].push_back({r, i});
    }
  }
  StoredSink stored;
  if (!wants_stored.empty())
    stored = [&](std::span<const std::byte> bytes) {
      for (const std::size_t r : wants_stored)
        runs[r].attempt([&] { runs[r].measurement->take_stored(bytes); });
    };
  const PanelSink panels = [&](std::size_t view, const Panel& panel) {
    for_each_block(panel.bytes, [&](std::span<const std::byte> block) {
      for (const Listener& l : listeners[view])
        runs[l.running].attempt([&] { runs[l.running].measurement->take_elements(l.input, block); });
    });
    for (const Listener& l : listeners[view])
      runs[l.running].attempt([&] { runs[l.running].measurement->take(l.input, panel); });
  };
  const auto everybody = [&](const auto& what) {
    for (const std::size_t r : wants_stored) runs[r].attempt(what);
    for (const auto& group : listeners)
      for (const Listener& l : group) runs[l.running].attempt(what);
  };
  try {
    stream_tensor(order.files[tensor.file], tensor, views, reader, stored, panels);
    reader.check(order.files[tensor.file]);
  } catch (...) {
    everybody([failure = std::current_exception()] { std::rethrow_exception(failure); });
  }
}

/// Passes a whole file to the one subject that asked for it.
void stream_file(const SourceFile& file, Running& running, ByteReader& reader) {
  running.attempt([&] {
    reader.stream(file, 0, file.bytes, request_bytes,
                  [&](std::span<const std::byte> part) { running.measurement->take_stored(part); });
    reader.check(file);
  });
}

Features finish(Running& running) {
  Features features;
  running.attempt([&] { features = running.measurement->finish(); });
  features.analyzer = running.subject->analyzer;
  features.version = running.analyzer ? running.analyzer->version() : 0;
  features.subject = running.subject->path;
  if (running.rule.empty()) running.spent = running.watch->seconds();
  if (!running.rule.empty()) {
    features.status = Status::failed;
    features.rule = running.rule;
    features.problem = running.problem;
    features.suggestion = running.suggestion;
  }
  return features;
}

template <class T>
void put(std::vector<std::byte>& out, const T& value) {
  const auto bytes = std::as_bytes(std::span(&value, 1));
  out.insert(out.end(), bytes.begin(), bytes.end());
}

void put_bytes(std::vector<std::byte>& out, std::span<const std::byte> bytes) {
  put(out, std::uint64_t{bytes.size()});
  out.insert(out.end(), bytes.begin(), bytes.end());
}

/// Throws std::length_error when fewer than `size` bytes are left.
std::span<const std::byte> take_part(std::span<const std::byte>& in, std::uint64_t size) {
  if (size > in.size()) throw std::length_error("a result between ranks ends too early");
  const auto part = in.first(size);
  in = in.subspan(size);
  return part;
}

template <class T>
T take(std::span<const std::byte>& in) {
  T value;
  std::memcpy(&value, take_part(in, sizeof value).data(), sizeof value);
  return value;
}

std::span<const std::byte> take_bytes(std::span<const std::byte>& in) {
  return take_part(in, take<std::uint64_t>(in));
}

}  // namespace

ItemResult perform(const WorkOrder& order, ByteReader& reader) {
  const Stopwatch watch;
  const std::uint64_t before = reader.bytes_read();
  std::vector<Running> runs(order.subjects.size());
  for (std::size_t r = 0; r < runs.size(); ++r) {
    runs[r].subject = &order.subjects[r];
    runs[r].watch = &watch;
    begin(runs[r], order, reader);
  }
  for (std::uint32_t t = 0; t < order.streamed; ++t) stream(order, t, runs, reader);
  for (Running& running : runs)
    if (running.subject->file) stream_file(order.files[*running.subject->file], running, reader);
  ItemResult result{.item = order.item};
  for (Running& running : runs) {
    result.features.push_back(finish(running));
    result.spent.push_back(running.spent);
  }
  result.ended = utc_now();
  result.seconds = watch.seconds();
  result.bytes_read = reader.bytes_read() - before;
  return result;
}

// Both ends are the same program on the same kind of machine, so this framing needs no schema.
std::vector<std::byte> encode(const ItemResult& result) {
  std::vector<std::byte> out;
  put(out, result.item);
  put(out, result.seconds);
  put(out, result.bytes_read);
  put_bytes(out, std::as_bytes(std::span(result.ended)));
  put_bytes(out, std::as_bytes(std::span(result.spent)));
  put(out, std::uint64_t{result.features.size()});
  for (const Features& features : result.features) put_bytes(out, encode(features));
  return out;
}

ItemResult decode_result(std::span<const std::byte> in) {
  ItemResult result;
  result.item = take<std::uint32_t>(in);
  result.seconds = take<double>(in);
  result.bytes_read = take<std::uint64_t>(in);
  const auto ended = take_bytes(in), spent = take_bytes(in);
  result.ended.assign(reinterpret_cast<const char*>(ended.data()), ended.size());
  result.spent.resize(spent.size() / sizeof(double));
  std::memcpy(result.spent.data(), spent.data(), spent.size());
  const auto n = take<std::uint64_t>(in);
  for (std::uint64_t i = 0; i < n; ++i) result.features.push_back(decode_features(take_bytes(in)));
  return result;
}

}  // namespace stemma
