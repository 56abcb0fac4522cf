// A search in the width over dicts, each looked at once however many ways lead to it.
#include "io/formats/torch_state_dict.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>
#include <unordered_set>

#include "io/formats/limits.hpp"
#include "io/model/utf8.hpp"

namespace stemma {
namespace {

constexpr std::array<std::string_view, 6> wrappers{"state_dict", "model_state_dict", "model",
                                                   "module",     "ema_state_dict",   "weights"};
constexpr std::size_t most_levels = 3;

/// A dict on the way, and how one gets there.
struct Candidate {
  PickleRef dict = PickleGraph::none;
  std::string path;
  std::size_t level = 0;
  bool holds_tensors = false;
};

class Search {
 public:
  Search(const Pickle& pickle, const std::string& file_name)
      : graph_(pickle.graph), root_(pickle.root), file_name_(file_name) {}

  StateDict find() {
    if (graph_.kind(root_) == PickleKind::dict) queue_.push_back({root_, "the root", 0, false});
    for (std::size_t next = 0; next < queue_.size(); ++next) look_into(next);
    std::erase_if(queue_, [](const Candidate& candidate) { return !candidate.holds_tensors; });
    if (queue_.empty()) refuse_root();
    // Tensors beside the dict of a model are counters and the like.
    if (queue_.size() > 1 && queue_.front().level == 0)
      std::rotate(queue_.begin(), queue_.begin() + 1, queue_.end());
    StateDict out = entries_of(queue_.front());
    if (queue_.size() > 1) out.findings.push_back(several());
    return out;
  }

 private:
  void look_into(std::size_t index) {
    const Candidate here = queue_[index];
    const std::vector<PickleRef> items = graph_.items(here.dict);
    std::array<PickleRef, wrappers.size()> below{};
    for (std::size_t i = 0; i + 1 < items.size(); i += 2) {
      const auto key = graph_.text(items[i]);
      const PickleKind kind = graph_.kind(items[i + 1]);
      if (!key) continue;
      if (kind == PickleKind::tensor) queue_[index].holds_tensors = true;
      const auto wrapper = std::ranges::find(wrappers, *key);
      if (wrapper == wrappers.end()) continue;
      if (kind == PickleKind::opaque) module_ = graph_.name(items[i + 1]);
      if (kind == PickleKind::dict)
        below[static_cast<std::size_t>(wrapper - wrappers.begin())] = items[i + 1];
    }
    if (here.level == most_levels) return;
    for (std::size_t i = 0; i < below.size(); ++i)
      if (below[i] != PickleGraph::none && below[i] != root_ && seen_.insert(below[i]).second)
        queue_.push_back(
            {below[i],
             here.level == 0 ? std::string(wrappers[i]) : fmt::format("{}.{}", here.path, wrappers[i]),
             here.level + 1, false});
  }

  StateDict entries_of(const Candidate& chosen) const {
    StateDict out;
    std::size_t others = 0;
    std::string first_other;
    const std::vector<PickleRef> items = graph_.items(chosen.dict);
    for (std::size_t i = 0; i + 1 < items.size(); i += 2) {
      const auto key = graph_.text(items[i]);
      if (key && graph_.kind(items[i + 1]) == PickleKind::tensor) {
        out.entries.push_back({checked_name(*key), items[i + 1]});
      } else if (key != "_metadata" && others++ == 0) {
        first_other = key ? fmt::format("\"{}\"", printable(*key, 100)) : "a key that is no text";
      }
    }
    if (out.entries.size() > limits::tensors_per_file)
      refuse("too_many_tensors", fmt::format("{}", out.entries.size()),
             fmt::format("at most {}", limits::tensors_per_file), "");
    if (others > 0)
      out.findings.push_back({.severity = Severity::note,
                              .rule = "pickle.other_entries",
                              .file = file_name_,
                              .found = fmt::format("{}, first {}", others, first_other),
                              .hint = "entries of the state dict that are no tensors; not used"});
    return out;
  }

  std::string checked_name(std::string_view key) const {
    std::string name;
    while (!key.empty()) {
      const std::size_t sound = first_invalid_utf8(key);
      name += key.substr(0, sound);
      key.remove_prefix(sound);
      if (key.empty()) break;
      // The machine has let nothing else pass than surrogates of three bytes.
      name += fmt::format("\\u{:04X}", 0xD000U | (static_cast<unsigned>(key[1]) & 0x3FU) << 6U |
                                           (static_cast<unsigned>(key[2]) & 0x3FU));
      key.remove_prefix(3);
    }
    if (name.empty() || name.size() > limits::tensor_name_bytes || name.find('\0') != std::string::npos)
      refuse("name_invalid", fmt::format("\"{}\"", printable(name, 100)),
             fmt::format("1 to {} bytes without NUL", limits::tensor_name_bytes), "");
    return name;
  }

  Finding several() const {
    std::string paths;
    for (std::size_t i = 1; i < queue_.size(); ++i) paths += (i == 1 ? "" : ", ") + queue_[i].path;
    return {.severity = Severity::warning,
            .rule = "several_state_dicts",
            .file = file_name_,
            .found = paths,
            .hint = fmt::format("they hold tensors too; the tensors below {} are used", queue_.front().path)};
  }

  [[noreturn]] void refuse_root() const {
    const PickleKind kind = graph_.kind(root_);
    if (kind == PickleKind::opaque || kind == PickleKind::global || !module_.empty())
      refuse("whole_module", printable(module_.empty() ? graph_.name(root_) : module_, 100),
             "a dict of tensors",
             "a whole module was pickled, code and all: load it where its code is trusted and save "
             "model.state_dict(), best as safetensors");
    bool has_tensors = false;
    for (PickleRef ref = 0; ref < graph_.node_count() && !has_tensors; ++ref)
      has_tensors = graph_.kind(ref) == PickleKind::tensor;
    if (has_tensors && kind != PickleKind::dict)
      refuse("anonymous_tensors", "tensors without names", "a dict of tensors",
             "save model.state_dict(): roles follow from names");
    refuse("no_tensors",
           has_tensors ? "tensors only below keys that are not those of a model" : "a pickle without tensors",
           "a dict of tensors", "save model.state_dict()");
  }

  [[noreturn]] void refuse(std::string_view rule, std::string found, std::string expected,
                           std::string hint) const {
    throw InvalidInput({.rule = fmt::format("pickle.{}", rule),
                        .file = file_name_,
                        .expected = std::move(expected),
                        .found = std::move(found),
                        .hint = std::move(hint)});
  }

  const PickleGraph& graph_;
  PickleRef root_;
  const std::string& file_name_;
  std::vector<Candidate> queue_;
  std::unordered_set<PickleRef> seen_;
  std::string module_;  ///< class of an object where a dict could be
};

}  // namespace

StateDict find_state_dict(const Pickle& pickle, const std::string& file_name) {
  return Search(pickle, file_name).find();
}

}  // namespace stemma
