// Local work, one small all-reduce, and the first failing rank's sentence for everybody.
#include "analyzers/distributed/unison.hpp"

#include <fmt/format.h>

#include <cstdint>
#include <cstring>
#include <vector>

#include "io/config/problems.hpp"
#include "io/model/finding.hpp"

namespace stemma {
namespace {

constexpr std::size_t longest_sentence = 4096;

// A failure on its way to the other ranks: a kind and a list of texts.
struct Parcel {
  std::vector<std::string> texts;

  void put(std::string_view text) { texts.emplace_back(text.substr(0, longest_sentence)); }
  std::vector<std::byte> bytes() const {
    std::vector<std::byte> out;
    for (const std::string& text : texts) {
      const std::uint64_t n = text.size();
      const auto* head = reinterpret_cast<const std::byte*>(&n);
      out.insert(out.end(), head, head + sizeof n);
      const auto* body = reinterpret_cast<const std::byte*>(text.data());
      out.insert(out.end(), body, body + n);
    }
    return out;
  }
  static Parcel from(const std::vector<std::byte>& bytes) {
    Parcel parcel;
    for (std::size_t at = 0; at + sizeof(std::uint64_t) <= bytes.size();) {
      std::uint64_t n = 0;
      std::memcpy(&n, bytes.data() + at, sizeof n);
      at += sizeof n;
      parcel.texts.emplace_back(reinterpret_cast<const char*>(bytes.data() + at), n);
      at += n;
    }
    return parcel;
  }
};

Parcel packed(const std::exception_ptr& failure) {
  Parcel parcel;
  try {
    std::rethrow_exception(failure);
  } catch (const InvalidInput& error) {
    const Finding& f = error.finding();
    parcel.put("input");
    parcel.put(std::to_string(static_cast<int>(f.severity)));
    for (const auto* text : {&f.rule, &f.file, &f.tensor}) parcel.put(*text);
    parcel.put(f.byte_offset ? std::to_string(*f.byte_offset) : "");
    for (const auto* text : {&f.expected, &f.found, &f.hint}) parcel.put(*text);
  } catch (const ConfigProblems& error) {
    parcel.put("config");
    for (const Problem& p : error.problems()) {
      parcel.put(p.file);
      parcel.put(std::to_string(p.line));
      parcel.put(std::to_string(p.column));
      for (const auto* text : {&p.key, &p.message, &p.place}) parcel.put(*text);
    }
  } catch (const std::exception& error) {
    parcel.put("other");
    parcel.put(error.what());
  } catch (...) {
    parcel.put("other");
    parcel.put("something that is no exception was thrown");
  }
  return parcel;
}

[[noreturn]] void rethrow(const Parcel& parcel, std::string_view what, int rank) {
  const auto& t = parcel.texts;
  if (t[0] == "input") {
    Finding f;
    f.severity = static_cast<Severity>(std::stoi(t[1]));
    f.rule = t[2], f.file = t[3], f.tensor = t[4];
    if (!t[5].empty()) f.byte_offset = std::stoull(t[5]);
    f.expected = t[6], f.found = t[7], f.hint = t[8];
    throw InvalidInput(f);
  }
  if (t[0] == "config") {
    std::vector<Problem> problems;
    for (std::size_t i = 1; i + 5 < t.size(); i += 6) {
      Problem problem;
      problem.file = t[i], problem.line = std::stoi(t[i + 1]), problem.column = std::stoi(t[i + 2]);
      problem.key = t[i + 3], problem.message = t[i + 4], problem.place = t[i + 5];
      problems.push_back(problem);
    }
    throw ConfigProblems(problems);
  }
  throw FailedElsewhere(rank, fmt::format("{} failed on rank {}: {}", what, rank, t[1]));
}

}  // namespace

void agree(const Communicator& team, std::string_view what, const std::exception_ptr& mine) {
  const int first = team.all_reduce_min(mine ? team.rank() : team.size());
  if (first == team.size()) return;
  std::vector<std::byte> bytes;
  if (team.rank() == first) bytes = packed(mine).bytes();
  team.broadcast(bytes, first);
  if (team.rank() == first) std::rethrow_exception(mine);
  rethrow(Parcel::from(bytes), what, first);
}

}  // namespace stemma
