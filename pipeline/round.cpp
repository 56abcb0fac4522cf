// The one place where results are taken: those of models and those of pairs.
#include "pipeline/round.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <utility>

#include "analyzers/distributed/unison.hpp"
#include "pipeline/gather.hpp"
#include "pipeline/machine.hpp"
#include "pipeline/stop_signal.hpp"
#include "pipeline/wording.hpp"

namespace stemma {
namespace {

/// Whether the same may go well another time: a network file system that was away, a machine that was full.
bool may_have_passed(const std::string& rule) {
  return rule == "file.read_failed" || rule == "file.open_failed" || rule == "item.out_of_memory";
}

/// One key stands for all subjects of an item: whoever does one of them does the others.
Hash128 claim_of(const WorkOrder& order) { return work_key(order, order.subjects.front()); }

/// Items that can be done and whose orders are `known`, by index.
template <class Known>
std::vector<std::uint32_t> items_where(const Plan& plan, OrderBook& orders, const Known& known) {
  std::vector<bool> infeasible(plan.items.size());
  for (const std::uint32_t i : plan.infeasible) infeasible[i] = true;
  std::vector<std::uint32_t> out;
  for (std::uint32_t i = 0; i < plan.items.size(); ++i)
    if (!infeasible[i] && known(orders.order(i, plan.items[i]))) out.push_back(i);
  return out;
}

}  // namespace

Round::Round(std::string name, std::span<const SurveyedModel> work, std::vector<Question> questions,
             std::optional<Plan> own, Plan* given, const RoundTerms& terms, Log& log)
    : name_(std::move(name)),
      own_plan_(std::move(own)),
      plan_(own_plan_ ? *own_plan_ : *given),
      work_(work),
      hosts_(terms.hosts),
      log_(log),
      orders_(work, std::move(questions), plan_.width_rule, terms.arithmetic),
      logs_(*terms.logs),
      store_(logs_, work.size()),
      limit_(terms.limit),
      shard_(terms.shard) {
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

double seconds_left(Plan plan, OrderBook& orders, const ResultLogs& logs) {
  if (logs.known() == 0) return plan.makespan;
  leave_out(plan, items_where(plan, orders, [&](const WorkOrder& order) {
              return std::ranges::all_of(order.subjects, [&](const Subject& subject) {
                return logs.promises(work_key(order, subject));
              });
            }));
  return plan.makespan;
}

void Round::recall() {
  if (logs_.known() == 0 && shard_.count == 1) return;
  const std::vector<std::uint32_t> known =
      items_where(plan_, orders_, [&](const WorkOrder& order) { return store_.recall(order); });
  std::vector<bool> open(plan_.items.size(), true);
  for (const std::uint32_t i : plan_.infeasible) open[i] = false;
  for (const std::uint32_t i : known) open[i] = false;
  for (std::uint32_t i = 0; i < open.size(); ++i)
    if (open[i] && i % shard_.count != shard_.index) others_.push_back(i);
  std::vector<std::uint32_t> not_ours = known;
  not_ours.insert(not_ours.end(), others_.begin(), others_.end());
  if (not_ours.empty()) return;
  std::sort(not_ours.begin(), not_ours.end());
  leave_out(plan_, std::move(not_ours));
  std::string of_others;
  if (!others_.empty()) of_others = fmt::format(", {} of other shards", with_commas(others_.size()));
  log_.info("resume", fmt::format("{}: {} of {} known already{}, {} left: predicted {}", name_,
                                  with_commas(known.size()), counted(plan_.items.size(), "item"), of_others,
                                  with_commas(plan_.items.size() - plan_.known.size()),
                                  duration_words(plan_.makespan)));
}

bool Round::others_ended() {
  if (others_.empty()) return true;
  logs_.sync();  // another shard may look at the same moment
  logs_.look_at_all();
  return std::ranges::all_of(
      others_, [&](std::uint32_t i) { return store_.recall(orders_.order(i, plan_.items[i])); });
}

std::string Round::name_of_item(std::uint32_t i) const {
  const Item& item = plan_.items[i];
  return fmt::format("{} {}", work_[item.model].request.id, name_of(item, *work_[item.model].model));
}

void Round::begin(const RoundTerms& terms) {
  counters_.items_total = plan_.items.size() - plan_.infeasible.size() - plan_.known.size();
  counters_.bytes_total = plan_.read_bytes;
  counters_.seconds_total = plan_.rank_seconds;
  counters_.memory_per_rank = plan_.memory_per_rank;
  actual_seconds_.assign(plan_.items.size(), missing);
  progress_.emplace(
      log_, own_plan_ ? "trace" : "work",
      [view = WorkView{counters_, under_way_, [this](std::uint32_t i) { return name_of_item(i); },
                       [this](std::uint32_t i) { return plan_.items[i].seconds; }}](double elapsed) {
        return state_of(view, elapsed);
      },
      terms.progress.until(limit_));
  watch_ = Stopwatch();
}

WorkInput Round::input() {
  under_way_.forget_all();
  return {
      .plan = &plan_,
      .orders = [this](std::span<const std::uint32_t> items) { return orders_for(items); },
      .sink = [this](const ItemResult& r) { take(r); },
      .team_orders = [this](std::uint32_t item, int block,
                            std::span<const int> members) { return team_order_for(item, block, members); },
      .occupied_seconds = &occupied_seconds_,
      .limit = limit_,
      .contents = [this](std::span<const Hash128> contents) { return look_up(contents); },
      .now_and_then = [this] { logs_.sync_if_due(); },
      .under_way = &under_way_,
      .last_words =
          [this] {
            logs_.sync();
            log_.warn("items that still run are given up; the same command goes on from here");
          }};
}

std::vector<std::byte> Round::orders_for(std::span<const std::uint32_t> items) {
  logs_.look_again();
  std::vector<WorkOrder> orders;
  std::vector<Hash128> ours;
  for (const std::uint32_t i : items) {
    WorkOrder order = orders_.order(i, plan_.items[i]);
    if ((logs_.has_company() || pass_ > 0) && store_.recall(order)) {
      count(plan_.items[i], 0);
      limit_->work_was_done();
      under_way_.leave_out(i);
      continue;
    }
    const Hash128 claim = claim_of(order);
    // In the second pass nobody is waited for: whoever said that it does this may have been killed.
    if (pass_ == 0 && logs_.claimed(claim)) {
      elsewhere_.push_back(i);
      under_way_.leave_out(i);
      continue;
    }
    ours.push_back(claim);
    orders.push_back(std::move(order));
  }
  logs_.claim(ours);
  return encode(orders);
}

std::vector<std::byte> Round::team_order_for(std::uint32_t item, int block, std::span<const int> members) {
  const WorkOrder order = orders_.team_order(item, plan_.items[item], block, members);
  const Hash128 claim = claim_of(order);
  logs_.claim(std::span(&claim, 1));
  return encode(std::span(&order, 1));
}

std::vector<std::uint8_t> Round::look_up(std::span<const Hash128> contents) {
  std::vector<std::uint8_t> known;
  for (const Hash128& content : contents) {
    const bool there = logs_.find_content(content).has_value();
    // In a later pass nobody waits for another, who may fail as the first one did.
    known.push_back(there || (pass_ == 0 && !on_its_way_.insert(content).second) ? 1 : 0);
  }
  return known;
}

void Round::take(const ItemResult& result) {
  const Item& item = plan_.items[result.item];
  store_.add(item.model, result);
  limit_->work_was_done();
  limit_->learn_sync(logs_.longest_sync());
  actual_seconds_[result.item] = result.seconds;
  bytes_read_ += result.bytes_read;
  if (pass_ > 0 || item.file || item.portion == Portion::decompositions || is_apart(item.portion))
    announced_bytes_ += result.bytes_read;
  count(item, result.bytes_read);
  counters_.seconds_here = counters_.seconds_here + item.width * item.seconds;
  counters_.actual_seconds = counters_.actual_seconds + item.width * result.seconds;
  counters_.peak_memory = std::max(counters_.peak_memory.load(), result.peak_memory);
  under_way_.end(result.rank, result.item);
  bool may_pass = false;
  for (const Features& f : result.features) {
    counters_.failed += f.status == Status::failed;
    may_pass = may_pass || (f.status == Status::failed && may_have_passed(f.rule));
  }
  if (may_pass && pass_ == 0) once_more_.push_back(result.item);
}

void Round::count(const Item& item, std::uint64_t bytes) {
  counters_.items += 1;
  counters_.bytes += bytes;
  counters_.seconds = counters_.seconds + item.width * item.seconds;
}

bool Round::goes_on() {
  std::vector<bool> left(plan_.items.size());
  std::uint64_t items = 0;
  const auto again = [&](std::uint32_t i, bool ended) {
    if (left[i]) return;
    left[i] = true;
    ++items;
    if (!ended) return;
    const WorkOrder order = orders_.order(i, plan_.items[i]);
    counters_.failed -= store_.forget(order.model, order.subjects);
    counters_.items -= 1;
    counters_.seconds = counters_.seconds - plan_.items[i].width * plan_.items[i].seconds;
  };
  for (const std::uint32_t i : std::exchange(elsewhere_, {})) again(i, false);
  for (const std::uint32_t i : store_.settle()) again(i, true);
  for (const std::uint32_t i : std::exchange(once_more_, {})) again(i, true);
  if (items == 0 || limit_->seconds_left() <= 0) return false;
  ++pass_;
  plan_.known.clear();
  for (std::uint32_t i = 0; i < plan_.items.size(); ++i)
    if (!left[i]) plan_.known.push_back(i);
  log_.info("work",
            fmt::format("{}: {} to look at again: another run has them, they failed, or equal tensors did",
                        name_, counted(items, "item")));
  return true;
}

void Round::end() {
  seconds_ = watch_.seconds();
  progress_.reset();
  if (store_.linked() > 0)
    log_.info("work", fmt::format("{}: {} were those of equal tensors, computed once", name_,
                                  counted(store_.linked(), "result")));
  if (counters_.items < counters_.items_total) stop_early(counters_.items_total - counters_.items);
  if (shard_.count > 1) end_shard();
  if (own_plan_ && counters_.items_total > 0) say_work();
}

void Round::end_shard() {
  const std::string done = fmt::format("shard {}/{} is done", shard_.index, shard_.count);
  if (!others_ended())
    stop(fmt::format("{}, {} of it now. The last shard to end makes the archive, or the same command without "
                     "--shard",
                     done, counted(counters_.items, "item")),
         ExitCode::done);
  if (!logs_.is_first("archive-" + plan_.digest))
    stop(done +
             ", and another makes the archive, or has made it. Should it have failed, the same command "
             "without --shard makes it",
         ExitCode::done);
}

void Round::stop_early(std::uint64_t left) {
  if (stop_wish() != StopWish::at_once && !limit_->work_was_possible())
    stop(
        fmt::format(
            "nothing could be done in time: {}, none of {} is sure to end before that (each should take "
            "{}; the last {} are kept for what follows, runtime.deadline_margin). Give the run more time",
            limit_->reason(), counted(left, "item"), times_of_open_items(), duration_words(limit_->margin())),
        ExitCode::usage);
  stop(fmt::format("stopped early, because {}: {} of {} of this stage done {}, {} left.{}", limit_->reason(),
                   with_commas(counters_.items), counted(counters_.items_total, "item"),
                   logs_.kept() ? "and kept" : "and not kept", with_commas(left),
                   logs_.kept() ? " The same command goes on from here" : ""),
       logs_.kept() ? ExitCode::stopped : ExitCode::usage);
}

std::string Round::times_of_open_items() const {
  double least = std::numeric_limits<double>::infinity(), most = 0;
  for (std::uint32_t i = 0; i < plan_.items.size(); ++i) {
    if (std::ranges::binary_search(plan_.known, i) || std::ranges::count(plan_.infeasible, i) > 0) continue;
    least = std::min(least, plan_.items[i].seconds);
    most = std::max(most, plan_.items[i].seconds);
  }
  const std::string shortest = duration_words(std::min(least, most)), longest = duration_words(most);
  return shortest == longest ? longest : fmt::format("{} to {}", shortest, longest);
}

void Round::stop(const std::string& sentence, ExitCode code) {
  logs_.seal();
  throw StoppedEarly(sentence, code);
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

void work_through(const Communicator& ranks, CoordinatorMode mode, Round* round, const ReaderMaker& reader) {
  for (bool goes_on = true; goes_on;) {
    run_work(ranks, mode, round ? round->input() : WorkInput{}, reader);
    bool again = false;
    in_unison(ranks, "looking at what is left", [&] { again = round && round->goes_on(); });
    goes_on = ranks.all_reduce_sum(again ? 1 : 0) > 0;
  }
}

void Round::collect(std::vector<Failure>& failures) const {
  collect_failures(work_, plan_, store_, hosts_, failures);
}

}  // namespace stemma
