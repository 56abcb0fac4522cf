// The plan of a round is small and made by rank 0 alone.
#include "pipeline/round.hpp"

#include <fmt/format.h>

#include "pipeline/gather.hpp"
#include "pipeline/machine.hpp"
#include "pipeline/wording.hpp"

namespace stemma {

Round::Round(std::string stage, std::span<const SurveyedModel> work, std::vector<Question> questions,
             const RoundTerms& terms, Log& log)
    : stage_(std::move(stage)),
      work_(work),
      hosts_(terms.hosts),
      log_(log),
      plan_(make_plan(work, questions, terms.rates, MachineLayout::of_hosts(terms.hosts, terms.coordinator),
                      terms.memory_per_rank)),
      orders_(work, std::move(questions)),
      store_(terms.store / fmt::format("{}.{}.rec", new_uuid(), stage_), work.size()) {
  counters_.items_total = plan_.items.size() - plan_.infeasible.size();
  counters_.bytes_total = plan_.read_bytes;
  counters_.seconds_total = plan_.rank_seconds;
  if (counters_.items_total > 0)
    log_.info(
        "trace",
        fmt::format("{}: {}, {} to read, on {} of {}; lower bound {}, predicted {}; peak {} of {} per rank",
                    stage_, counted(plan_.items.size(), "item"),
                    bytes_words(static_cast<double>(plan_.read_bytes)), plan_.machine.workers(),
                    counted(static_cast<std::uint64_t>(plan_.machine.ranks()), "rank"),
                    duration_words(plan_.lower_bound), duration_words(plan_.makespan),
                    memory_words(static_cast<double>(plan_.peak_memory)),
                    memory_words(static_cast<double>(plan_.memory_per_rank))));
  progress_.emplace(log_, counters_, terms.progress, terms.progress_every, std::filesystem::path());
}

WorkInput Round::input() {
  watch_ = Stopwatch();
  return {&plan_, orders_from(orders_, plan_), [this](const ItemResult& r) { take(r); },
          team_orders_from(orders_, plan_), nullptr};
}

void Round::take(const ItemResult& result) {
  const Item& item = plan_.items[result.item];
  store_.add(item.model, result);
  bytes_read_ += result.bytes_read;
  counters_.items += 1;
  counters_.bytes += result.bytes_read;
  counters_.seconds = counters_.seconds + item.width * item.seconds;
  for (const Features& f : result.features) counters_.failed += f.status == Status::failed;
}

void Round::end() {
  progress_.reset();
  seconds_ = watch_.seconds();
  if (counters_.items_total > 0)
    log_.info("trace",
              fmt::format("{}: {}, {} read in {}; {} failed", stage_, counted(counters_.items, "item"),
                          bytes_words(static_cast<double>(bytes_read_)), duration_words(seconds_),
                          counters_.failed.load()));
}

void Round::collect(std::vector<Failure>& failures) const {
  collect_failures(work_, plan_, store_, hosts_, failures);
}

}  // namespace stemma
