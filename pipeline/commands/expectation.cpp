// Sheets say what was done, archives what is seen: each word stands for the classes that may be seen of it.
#include "pipeline/commands/expectation.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <map>
#include <set>

#include "io/config/problems.hpp"
#include "io/config/yaml_section.hpp"
#include "io/model/finding.hpp"
#include "io/report/tsv.hpp"
#include "pipeline/commands/request.hpp"

namespace stemma {
namespace {

using Classes = std::set<Relation>;

const Classes& copies() {
  static const Classes classes{Relation::exact_copy, Relation::reencoded_copy, Relation::reparametrised_copy};
  return classes;
}

/// A trained descendant may be seen as an update of low rank, and one with layers left out in part only. Who
/// is independent may be left open; NO_EVIDENCE asks for more.
const std::map<std::string, Classes>& meanings() {
  static const std::map<std::string, Classes> table = [] {
    using enum Relation;
    std::map<std::string, Classes> words{{"copy", copies()},
                                         {"quantized", {reencoded_copy}},
                                         {"finetune", {low_rank_related, same_lineage}},
                                         {"adapter", {low_rank_related}},
                                         {"lora_merged", {low_rank_related}},
                                         {"merge", {low_rank_related, same_lineage, partial_lineage}},
                                         {"pruned", {same_lineage, partial_lineage}},
                                         {"pruned_depth", {same_lineage, partial_lineage}},
                                         {"independent", {no_evidence, abstain}}};
    for (const Relation one : {exact_copy, reencoded_copy, reparametrised_copy, low_rank_related,
                               same_lineage, partial_lineage, shared_init, no_evidence, abstain})
      words[std::string(name_of(one))] = {one};
    return words;
  }();
  return table;
}

std::vector<std::string> all_words() {
  std::vector<std::string> words;
  for (const auto& [word, classes] : meanings()) words.push_back(word);
  return words;
}

struct Row {
  std::string a, b, relation;
  Classes classes;
};

Classes classes_of(const std::string& text, Problem& problem) {
  Classes classes;
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find('|', begin), text.size());
    const std::string word = text.substr(begin, end - begin);
    begin = end + 1;
    if (const auto known = meanings().find(word); known != meanings().end()) {
      classes.insert(known->second.begin(), known->second.end());
      continue;
    }
    const auto close = nearest(word, all_words());
    problem.message = fmt::format("{} is no relation. {}", word.empty() ? "an empty cell" : printable(word),
                                  close ? fmt::format("Did you mean {}?", *close)
                                        : fmt::format("Known: {}", fmt::join(all_words(), ", ")));
  }
  return classes;
}

std::vector<Row> read_rows(const std::string& sheet) {
  std::vector<Row> rows;
  std::vector<Problem> problems;
  for (const auto& cells : read_tsv(sheet, {"a", "b", "relation"})) {
    Problem problem{.file = sheet, .line = static_cast<int>(rows.size()) + 2, .message = ""};
    rows.push_back({cells[0], cells[1], cells[2], classes_of(cells[2], problem)});
    if (!problem.message.empty()) problems.push_back(std::move(problem));
  }
  if (!problems.empty()) throw ConfigProblems(std::move(problems));
  return rows;
}

}  // namespace

std::vector<std::string> words_for_deeds() {
  std::vector<std::string> words;
  for (const std::string& word : all_words())
    if (std::islower(static_cast<unsigned char>(word.front())) != 0) words.push_back(word);
  return words;
}

std::string sentence(const Unexpected& unexpected) {
  return fmt::format(
      "{} and {}: {} expected, {}", unexpected.a, unexpected.b, unexpected.expected,
      unexpected.found.empty() ? "but the archive does not compare them" : unexpected.found + " found");
}

Expectation hold_to(const ArchiveReader& archive, const std::string& sheet) {
  const std::vector<Row> rows = read_rows(sheet);
  std::vector<std::string> ids;
  for (const ModelRow& model : archive.models()) ids.push_back(model.id);
  std::vector<std::pair<std::string, std::string>> named;
  for (const Row& row : rows) named.emplace_back(row.a, row.b);
  check_pair_list(named, sheet, ids);
  std::map<std::pair<std::string, std::string>, const Pair*> found;
  const std::vector<Pair> pairs = archive.pairs();
  for (const Pair& pair : pairs) {
    found[{ids[pair.a], ids[pair.b]}] = &pair;
    found[{ids[pair.b], ids[pair.a]}] = &pair;
  }
  Expectation result{.pairs = rows.size(), .differing = {}};
  for (const Row& row : rows) {
    const auto at = found.find({row.a, row.b});
    if (at != found.end() && row.classes.contains(at->second->relation)) continue;
    Unexpected& unexpected = result.differing.emplace_back();
    unexpected = {row.a, row.b, row.relation, ""};
    if (at == found.end()) continue;
    const Pair& pair = *at->second;
    unexpected.found = name_of(pair.relation);
    if (pair.relation == Relation::abstain) unexpected.found += fmt::format("({})", pair.reason);
  }
  return result;
}

}  // namespace stemma
