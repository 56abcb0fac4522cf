// The one place where results are taken: those of models and those of pairs.
#include "pipeline/round.hpp"

#include <fmt/format.h>

#include "pipeline/gather.hpp"
#include "pipeline/machine.hpp"
#include "pipeline/wording.hpp"

namespace stemma {

Round::Round(std::string name, std::span<const SurveyedModel> work, std::vector<Question> questions,
             std::optional<Plan> own, Plan* given, const RoundTerms& terms, Log& log)
    : name_(std::move(name)),
      own_plan_(std::move(own)),
      plan_(own_plan_ ? *own_plan_ : *given),
      work_(work),
      hosts_(terms.hosts),
      log_(log),
      orders_(work, std::move(questions)),
      store_(terms.store, name_, work.size(), terms.leftovers) {
  recall();
  if (own_plan_ && !plan_.items.empty()) say_plan();
  begin(terms);
}

Round::Round(std::string name, std::span<const SurveyedModel> work, std::vector<Question> questions,
             Plan& plan, const RoundTerms& terms, Log& log)
    : Round(std::move(name), work, std::move(questions), std::nullopt, &plan, terms, log) {}

Round::Round(std::string name, std::span<const SurveyedModel> work, const std::vector<Question>& questions,
             const RoundTerms& terms, Log& log)
    : Round(std::move(name), work, questions,
            make_plan(work, questions, terms.rates, MachineLayout::of_hosts(terms.hosts, terms.coordinator),
                      terms.memory_per_rank),
            nullptr, terms, log) {}

void Round::recall() {
  if (!store_.has_leftovers()) return;
  std::vector<bool> infeasible(plan_.items.size());
  for (const std::uint32_t i : plan_.infeasible) infeasible[i] = true;
  std::vector<std::uint32_t> known;
  for (std::uint32_t i = 0; i < plan_.items.size(); ++i) {
    if (infeasible[i]) continue;
    const WorkOrder order = orders_.order(i, plan_.items[i]);
    if (store_.recall(order.model, order.subjects, work_keys(order))) known.push_back(i);
  }
  if (known.empty()) return;
  leave_out(plan_, std::move(known));
  log_.info("resume", fmt::format("{}: {} of {} known from an earlier attempt, {} left: predicted {}", name_,
                                  with_commas(plan_.known.size()), counted(plan_.items.size(), "item"),
                                  with_commas(plan_.items.size() - plan_.known.size()),
                                  duration_words(plan_.makespan)));
}

void Round::begin(const RoundTerms& terms) {
  counters_.items_total = plan_.items.size() - plan_.infeasible.size() - plan_.known.size();
  counters_.bytes_total = plan_.read_bytes;
  counters_.seconds_total = plan_.rank_seconds;
  actual_seconds_.assign(plan_.items.size(), missing);
  progress_.emplace(log_, counters_, terms.progress, terms.progress_every, terms.status_file);
}

WorkInput Round::input() {
  watch_ = Stopwatch();
  return {&plan_, orders_from(orders_, plan_), [this](const ItemResult& r) { take(r); },
          team_orders_from(orders_, plan_), &occupied_seconds_};
}

void Round::take(const ItemResult& result) {
  const Item& item = plan_.items[result.item];
  store_.add(item.model, result);
  actual_seconds_[result.item] = result.seconds;
  bytes_read_ += result.bytes_read;
  if (item.file || item.portion == Portion::decompositions || item.portion == Portion::apart)
    announced_bytes_ += result.bytes_read;
  counters_.items += 1;
  counters_.bytes += result.bytes_read;
  counters_.seconds = counters_.seconds + item.width * item.seconds;
  for (const Features& f : result.features) counters_.failed += f.status == Status::failed;
}

void Round::end() {
  seconds_ = watch_.seconds();
  progress_.reset();
  if (own_plan_ && counters_.items_total > 0) say_work();
}

void Round::say_plan() const {
  log_.info(
      "trace",
      fmt::format("{}: {}, {} to read, on {} of {}; lower bound {}, predicted {}; peak {} of {} per rank",
                  name_, counted(plan_.items.size(), "item"),
                  bytes_words(static_cast<double>(plan_.read_bytes)), plan_.machine.workers(),
                  counted(static_cast<std::uint64_t>(plan_.machine.ranks()), "rank"),
                  duration_words(plan_.lower_bound), duration_words(plan_.makespan),
                  memory_words(static_cast<double>(plan_.peak_memory)),
                  memory_words(static_cast<double>(plan_.memory_per_rank))));
}

void Round::say_work() const {
  log_.info("trace",
            fmt::format("{}: {}, {} read in {}; {} failed", name_, counted(items(), "item"),
                        bytes_words(static_cast<double>(bytes_read_)), duration_words(seconds_), failed()));
}

void Round::collect(std::vector<Failure>& failures) const {
  collect_failures(work_, plan_, store_, hosts_, failures);
}

}  // namespace stemma
