// The choice travels as a number; the notes come back as lines.
#include "pipeline/common_reading.hpp"

#include <fmt/format.h>

#include <limits>
#include <set>
#include <sstream>

#include "io/formats/file_reader.hpp"

namespace stemma {

CommonReading::CommonReading(const Communicator& ranks, std::optional<DirectReading> wanted) {
  const int mine = wanted ? static_cast<int>(*wanted) : std::numeric_limits<int>::max();
  policy_ = std::make_shared<ReadingPolicy>(static_cast<DirectReading>(ranks.all_reduce_min(mine)));
}

ReaderMaker CommonReading::maker() const {
  return [policy = policy_] { return std::make_unique<FileReader>(most_open_files, policy); };
}

void CommonReading::warn(const Communicator& ranks, Log& log) const {
  std::set<std::string> sentences;
  for (const std::string& text : ranks.gather(fmt::format("{}", fmt::join(policy_->notes(), "\n")))) {
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) sentences.insert(line);
  }
  for (const std::string& sentence : sentences) log.warn(sentence);
}

}  // namespace stemma
