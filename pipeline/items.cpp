// Tensors that a subject needs together become one item, small neighbours share one.
#include "pipeline/items.hpp"

#include <algorithm>
#include <numeric>
#include <stdexcept>
#include <tuple>
#include <unordered_map>

namespace stemma {
namespace {

constexpr std::uint64_t small_tensor = std::uint64_t{64} << 10;  // travels with its neighbours
constexpr double small_batch = 0x1p20;                           // bytes
constexpr double small_flops = 1e6;
constexpr std::uint64_t reading_chunk = std::uint64_t{16} << 20;

/// Bytes of the buffers through which a tensor of that size is read: one piece is looked at while the next
/// one comes.
std::uint64_t reading_memory(std::uint64_t tensor_bytes) {
  return tensor_bytes <= reading_chunk ? tensor_bytes : 2 * reading_chunk;
}
std::uint64_t reading_memory(std::span<const std::uint32_t> tensors, const Model& model) {
  std::uint64_t most = 0;
  for (const std::uint32_t t : tensors)
    most = std::max(most, reading_memory(model.checkpoint.tensors[t].bytes));
  return most;
}

/// Stored tensors joined into groups by the subjects that need them together.
class Groups {
 public:
  explicit Groups(std::size_t n) : parent_(n) { std::iota(parent_.begin(), parent_.end(), 0U); }
  std::uint32_t root(std::uint32_t i) {
    while (parent_[i] != i) i = parent_[i] = parent_[parent_[i]];
    return i;
  }
  void join(std::uint32_t a, std::uint32_t b) {
    parent_[std::max(root(a), root(b))] = std::min(root(a), root(b));
  }

 private:
  std::vector<std::uint32_t> parent_;
};

/// The stored tensors that a subject streams.
std::vector<std::uint32_t> tensors_of(const Subject& subject, const Model& model) {
  std::vector<std::uint32_t> tensors;
  for (const std::uint32_t matrix : subject.matrices) tensors.push_back(model.matrices[matrix].tensor);
  tensors.insert(tensors.end(), subject.stored.begin(), subject.stored.end());
  return tensors;
}

/// Costs by value, each once.
class Costs {
 public:
  explicit Costs(std::vector<ItemCost>& kept) : kept_(kept) {
    for (std::uint32_t i = 0; i < kept_.size(); ++i) by_hash_[hash(kept_[i])].push_back(i);
  }

  std::uint32_t index_of(ItemCost cost) {
    const auto larger = [](const Decomposition& a, const Decomposition& b) {
      return a.form.k() > b.form.k();
    };
    std::stable_sort(cost.decompositions.begin(), cost.decompositions.end(), larger);
    std::vector<std::uint32_t>& alike = by_hash_[hash(cost)];
    for (const std::uint32_t i : alike)
      if (kept_[i] == cost) return i;
    alike.push_back(static_cast<std::uint32_t>(kept_.size()));
    kept_.push_back(std::move(cost));
    return alike.back();
  }

 private:
  static std::size_t hash(const ItemCost& cost) {
    std::size_t h = std::hash<double>()(cost.read_bytes);
    h = h * 31 + std::hash<double>()(cost.flops);
    return h * 31 + cost.decompositions.size();
  }

  std::vector<ItemCost>& kept_;
  std::unordered_map<std::size_t, std::vector<std::uint32_t>> by_hash_;
};

const Method& method_of(const Subject& subject, const std::vector<Question>& questions) {
  for (const Question& question : questions)
    if (question.method().name() == subject.analyzer) return question.method();
  throw std::logic_error("nobody asked " + subject.analyzer);
}

Portion portion_apart(const Subject& subject) {
  return subject.half_distances ? Portion::half_distances : Portion::apart;
}

/// What the subjects of one group of tensors ask for.
struct Load {
  ItemCost cost;
  std::uint32_t subjects = 0;
  std::uint64_t working = 0;  ///< the most that any subject needs to finish, which is part of cost.memory

  void add(const Subject& subject, const Model& model, const std::vector<Question>& questions) {
    const Cost more = method_of(subject, questions).cost(subject, inputs_of(subject, model));
    cost.flops += more.flops;
    cost.memory += more.memory;
    work(more.working);
    if (more.decomposition) cost.decompositions.push_back(*more.decomposition);
    for (const std::uint32_t c : subject.companions)
      cost.read_bytes +=
          static_cast<double>(model.checkpoint.tensors[model.matrices[c].tensor].stored_bytes());
    for (const std::uint32_t e : subject.anchored) {
      const std::uint64_t bits = model.matrices[e].cols * bits_of(dtype_of(model, model.matrices[e]));
      cost.read_bytes += static_cast<double>(model.anchors.size() * bits) / 8;
    }
    ++subjects;
  }
  bool small() const {
    double flops = cost.flops;
    for (const Decomposition& d : cost.decompositions) flops += d.product_flops() + d.eigenvalue_flops();
    return flops < small_flops;
  }
  void work(std::uint64_t bytes) {
    cost.memory += std::max(bytes, working) - working;
    working = std::max(bytes, working);
  }
  void join(const Load& other) {
    cost.flops += other.cost.flops;
    cost.memory += other.cost.memory - other.working;
    work(other.working);
    cost.read_bytes += other.cost.read_bytes;
    cost.decompositions.insert(cost.decompositions.end(), other.cost.decompositions.begin(),
                               other.cost.decompositions.end());
    subjects += other.subjects;
  }
};

/// Adds the items of one model.
class ModelItems {
 public:
  ModelItems(std::uint32_t index, const SurveyedModel& surveyed, Inventory& inventory, Costs& costs)
      : index_(index), surveyed_(surveyed), model_(*surveyed.model), inventory_(inventory), costs_(costs) {}

  void add(const std::vector<Question>& questions) {
    const auto& tensors = model_.checkpoint.tensors;
    const std::vector<Subject> subjects = subjects_of(surveyed_, questions);
    Groups groups(tensors.size());
    for (const Subject& subject : subjects) {
      if (subject.apart) continue;
      const auto needed = tensors_of(subject, model_);
      for (const std::uint32_t t : needed) groups.join(needed.front(), t);
    }
    std::vector<Load> loads(tensors.size());  // at the root of each group
    for (const Subject& subject : subjects) {
      if (subject.file) add_file(subject);
      if (subject.apart) {
        add_apart(subject, questions);
        continue;
      }
      const auto needed = tensors_of(subject, model_);
      if (!needed.empty()) loads[groups.root(needed.front())].add(subject, model_, questions);
    }
    add_groups(groups, loads);
  }

 private:
  void add_file(const Subject& subject) {
    const std::uint64_t bytes = model_.checkpoint.files[*subject.file].bytes;
    const auto read = static_cast<double>(bytes);
    inventory_.items.push_back({.model = index_,
                                .tensors = {},
                                .file = subject.file,
                                .subjects = 1,
                                .cost = costs_.index_of({.read_bytes = read,
                                                         .scanned_bytes = read,
                                                         .memory = fixed_memory + reading_memory(bytes),
                                                         .decompositions = {}}),
                                .bytes = bytes});
  }

  void add_apart(const Subject& subject, const std::vector<Question>& questions) {
    Load load;
    load.add(subject, model_, questions);
    load.cost.memory += fixed_memory + reading_memory(subject.stored, model_);
    std::uint64_t bytes = 0;
    for (const std::uint32_t t : subject.stored) {
      const StoredTensor& tensor = model_.checkpoint.tensors[t];
      bytes += tensor.stored_bytes();
      if (tensor.bytes > tensor.stored_bytes()) load.cost.memory += tensor.bytes - tensor.stored_bytes();
    }
    load.cost.read_bytes += static_cast<double>(bytes);
    inventory_.again_bytes += bytes;
    inventory_.items.push_back({.model = index_,
                                .tensors = subject.stored,
                                .file = {},
                                .portion = portion_apart(subject),
                                .subjects = 1,
                                .cost = costs_.index_of(std::move(load.cost)),
                                .bytes = bytes});
  }

  void add_groups(Groups& groups, const std::vector<Load>& loads) {
    const auto& tensors = model_.checkpoint.tensors;
    std::vector<std::uint32_t> order;
    for (std::uint32_t t = 0; t < tensors.size(); ++t)
      if (loads[groups.root(t)].subjects > 0) order.push_back(t);
    std::sort(order.begin(), order.end(), [&](std::uint32_t a, std::uint32_t b) {
      return std::tuple(tensors[a].file, tensors[a].place()) <
             std::tuple(tensors[b].file, tensors[b].place());
    });
    std::vector<Load> made;  // by item of this model
    std::vector<std::vector<std::uint32_t>> parts;
    constexpr std::size_t none = std::size_t(-1);
    std::vector<std::size_t> item_of(tensors.size(), none);  // by group root
    std::size_t basket = none;                               // item that collects small tensors
    for (const std::uint32_t t : order) {
      const std::uint32_t root = groups.root(t);
      const std::uint64_t stored = tensors[t].stored_bytes();
      inventory_.weight_bytes += stored;
      if (item_of[root] == none) {
        const bool small = tensors[t].bytes <= small_tensor && loads[root].small();
        if (small && basket != none && made[basket].cost.read_bytes < small_batch) {
          item_of[root] = basket;
        } else {
          item_of[root] = made.size();
          made.emplace_back();
          parts.emplace_back();
          if (small) basket = item_of[root];
        }
        made[item_of[root]].join(loads[root]);
      }
      made[item_of[root]].cost.read_bytes += static_cast<double>(stored);
      made[item_of[root]].cost.scanned_bytes += static_cast<double>(tensors[t].bytes);
      if (tensors[t].bytes > stored) made[item_of[root]].cost.memory += tensors[t].bytes - stored;
      parts[item_of[root]].push_back(t);
    }
    for (std::size_t i = 0; i < made.size(); ++i) {
      const auto bytes = static_cast<std::uint64_t>(made[i].cost.read_bytes);
      made[i].cost.memory += fixed_memory + reading_memory(parts[i], model_);
      inventory_.items.push_back({.model = index_,
                                  .tensors = std::move(parts[i]),
                                  .file = {},
                                  .subjects = made[i].subjects,
                                  .cost = costs_.index_of(std::move(made[i].cost)),
                                  .bytes = bytes});
    }
  }

  std::uint32_t index_;
  const SurveyedModel& surveyed_;
  const Model& model_;
  Inventory& inventory_;
  Costs& costs_;
};

/// The tensor of a subject that asks for one decomposition, of a size that a team may share, and for no other
/// tensor.
std::optional<std::uint32_t> decomposed_tensor(const Subject& subject, const Model& model,
                                               const std::vector<Question>& questions) {
  if (subject.matrices.size() != 1 || !subject.stored.empty()) return std::nullopt;
  const Cost cost = method_of(subject, questions).cost(subject, inputs_of(subject, model));
  if (!cost.decomposition || cost.decomposition->form.k() <= too_small_for_teams) return std::nullopt;
  return model.matrices[subject.matrices.front()].tensor;
}

/// Splits items of one model; its subjects by tensor are derived once.
class Splitter {
 public:
  Splitter(const SurveyedModel& surveyed, const std::vector<Question>& questions)
      : model_(*surveyed.model), questions_(questions), by_tensor_(model_.checkpoint.tensors.size()) {
    for (Subject& subject : subjects_of(surveyed, questions)) {
      if (subject.apart) continue;
      const auto needed = tensors_of(subject, model_);
      if (!needed.empty()) by_tensor_[needed.front()].push_back(std::move(subject));
    }
  }

  void split(const Item& item, Inventory& into, Costs& costs) const {
    Load others;
    std::vector<std::pair<std::uint32_t, Load>> pieces;
    for (const std::uint32_t t : item.tensors) {
      Load decompositions;
      for (const Subject& subject : by_tensor_[t])
        (decomposed_tensor(subject, model_, questions_) ? decompositions : others)
            .add(subject, model_, questions_);
      if (decompositions.subjects > 0) pieces.emplace_back(t, std::move(decompositions));
    }
    if (pieces.empty() || (others.subjects == 0 && pieces.size() == 1)) {
      into.items.push_back(item);
      return;
    }
    for (auto& [tensor, load] : pieces)
      add(item, {tensor}, Portion::decompositions, std::move(load), into, costs);
    if (others.subjects == 0) return;
    add(item, item.tensors, Portion::others, std::move(others), into, costs);
    for (const auto& [tensor, load] : pieces)
      into.again_bytes += model_.checkpoint.tensors[tensor].stored_bytes();
  }

 private:
  void add(const Item& item, std::vector<std::uint32_t> tensors, Portion portion, Load load, Inventory& into,
           Costs& costs) const {
    double bytes = 0, stored = 0;
    for (const std::uint32_t t : tensors) {
      bytes += static_cast<double>(model_.checkpoint.tensors[t].bytes);
      stored += static_cast<double>(model_.checkpoint.tensors[t].stored_bytes());
    }
    load.cost.read_bytes += stored;
    if (portion == Portion::others) load.cost.scanned_bytes = bytes;
    load.cost.memory += fixed_memory + reading_memory(tensors, model_);
    const auto read = static_cast<std::uint64_t>(load.cost.read_bytes);
    into.items.push_back({.model = item.model,
                          .tensors = std::move(tensors),
                          .file = {},
                          .portion = portion,
                          .subjects = load.subjects,
                          .cost = costs.index_of(std::move(load.cost)),
                          .bytes = read});
  }

  const Model& model_;
  const std::vector<Question>& questions_;
  std::vector<std::vector<Subject>> by_tensor_;  ///< at the first tensor that a subject needs
};

}  // namespace

std::string name_of(const Item& item, const Model& model) {
  return item.file ? model.checkpoint.files[*item.file].path
                   : model.checkpoint.tensors[item.tensors.front()].name;
}

Inventory take_inventory(std::span<const SurveyedModel> models, const std::vector<Question>& questions) {
  Inventory inventory;
  Costs costs(inventory.costs);
  for (std::uint32_t m = 0; m < models.size(); ++m)
    if (models[m].model) ModelItems(m, models[m], inventory, costs).add(questions);
  return inventory;
}

Inventory split(const Inventory& inventory, const std::vector<bool>& which,
                std::span<const SurveyedModel> models, const std::vector<Question>& questions) {
  Inventory finer{.items = {},
                  .costs = inventory.costs,
                  .weight_bytes = inventory.weight_bytes,
                  .again_bytes = inventory.again_bytes};
  Costs costs(finer.costs);
  std::optional<Splitter> splitter;
  std::uint32_t of_model = 0;
  for (const Item& item : inventory.items) {
    if (!which[item.cost] || item.file) {
      finer.items.push_back(item);
      continue;
    }
    if (!splitter || of_model != item.model) splitter.emplace(models[item.model], questions);
    of_model = item.model;
    splitter->split(item, finer, costs);
  }
  return finer;
}

bool serves(const Item& item, const Subject& subject, const Model& model,
            const std::vector<Question>& questions) {
  if (subject.apart) return item.portion == portion_apart(subject) && subject.stored == item.tensors;
  if (is_apart(item.portion)) return false;
  // A group holds all tensors of a subject or none, so one of them tells.
  const auto needed = tensors_of(subject, model);
  if (needed.empty() ||
      std::find(item.tensors.begin(), item.tensors.end(), needed.front()) == item.tensors.end())
    return false;
  if (item.portion == Portion::all) return true;
  const bool shared = decomposed_tensor(subject, model, questions).has_value();
  return shared == (item.portion == Portion::decompositions);
}

}  // namespace stemma
