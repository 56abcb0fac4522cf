// How do rows become pairs, their evidence and their backgrounds again?
#pragma once
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "io/archive/archive_reader.hpp"
#include "io/archive/table_reader.hpp"

namespace stemma {

/// Pairs with all their rows of evidence.
std::vector<Pair> read_pairs(const TableReader& table);
/// The same without evidence.
std::vector<Pair> read_pair_verdicts(const TableReader& table);
/// By method, one for each pair. Texts are read in pieces, so that millions of rows need little memory.
std::map<std::string, std::vector<Headline>> read_headlines(const TableReader& table);
/// By pair, the scores of all rows of a method whose role begins so, in their order.
std::vector<std::vector<float>> read_scores_of_places(const TableReader& table, std::string_view method,
                                                      std::string_view prefix);
std::vector<std::optional<Grade>> read_grades(const TableReader& table);
std::vector<std::vector<Evidence>> read_evidence_of(const TableReader& table,
                                                    std::span<const std::size_t> pairs);
std::vector<std::vector<OriginReading>> read_origin_readings(const TableReader& table,
                                                             std::span<const std::size_t> pairs);
std::vector<BackgroundScores> read_backgrounds(const TableReader& table);

}  // namespace stemma
