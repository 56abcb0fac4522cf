// Is a result taken over when everything that it depends on is the same, and never otherwise?
#include "pipeline/result_store.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <fstream>
#include <thread>

#include "tests/io/formats/fixtures.hpp"
#include "tests/pipeline/fake_models.hpp"

namespace stemma {
namespace {

WorkOrder order() {
  WorkOrder out;
  out.files = {
      {.path = "/models/a/model.safetensors", .bytes = 1000, .mtime_ns = 5, .device = 1, .inode = 9}};
  out.tensors = {{.name = "w", .dtype = Dtype::bf16, .shape = {4, 8}, .file = 0, .offset = 100, .bytes = 64},
                 {.name = "gain", .dtype = Dtype::f32, .shape = {8}, .file = 0, .offset = 164, .bytes = 32}};
  Matrix w;
  w.role = {.layer = 0, .part = Part::attn_q};
  w.rows = w.stored_rows = 4, w.cols = 8;
  w.slice = {1, 4, 0, 4};
  Matrix gain;
  gain.role = {.layer = 0, .part = Part::norm_pre_attn};
  gain.tensor = 1;
  gain.rows = gain.stored_rows = 8;
  out.matrices = {w, gain};
  out.subjects = {
      {.analyzer = "histogram", .path = "layers/0/attn.q", .matrices = {0}},
      {.analyzer = "intrinsic_fingerprint", .path = "layers/0/qk", .matrices = {0}, .companions = {1}}};
  return out;
}

TEST(WorkKey, EverythingThatDecidesAResultIsPartOfIt) {
  const auto before = work_keys(order());
  EXPECT_NE(before[0], before[1]);
  const auto changes = [&](const auto& change) {
    WorkOrder other = order();
    change(other);
    const auto after = work_keys(other);
    return std::pair(before[0] != after[0], before[1] != after[1]);
  };
  const std::pair both(true, true), second(false, true), none(false, false);
  EXPECT_EQ(changes([](WorkOrder& o) { o.files[0].mtime_ns += 1; }), both);
  EXPECT_EQ(changes([](WorkOrder& o) { o.files[0].bytes += 1; }), both);
  EXPECT_EQ(changes([](WorkOrder& o) { o.files[0].inode += 1; }), both);
  EXPECT_EQ(changes([](WorkOrder& o) { o.files[0].path += "2"; }), both);
  EXPECT_EQ(changes([](WorkOrder& o) { o.tensors[0].offset += 8; }), both);
  EXPECT_EQ(changes([](WorkOrder& o) { o.tensors[0].dtype = Dtype::f16; }), both);
  EXPECT_EQ(changes([](WorkOrder& o) { o.matrices[0].slice.offset = 1; }), both);
  EXPECT_EQ(changes([](WorkOrder& o) { o.matrices[0].transposed = true; }), both);
  EXPECT_EQ(changes([](WorkOrder& o) { o.tensors[1].offset += 8; }), second) << "a companion";
  EXPECT_EQ(changes([](WorkOrder& o) { o.subjects[1].parameters["heads"] = 4; }), second);
  EXPECT_EQ(changes([](WorkOrder& o) { o.subjects[0].analyzer = o.subjects[1].analyzer = "spectrum"; }),
            both);
  // The same work on another machine, by other ranks, in another item.
  EXPECT_EQ(changes([](WorkOrder& o) { o.files[0].device = 7, o.files[0].filesystem = "nfs"; }), none);
  EXPECT_EQ(changes([](WorkOrder& o) { o.item = 3, o.model = 2, o.members = {1, 2}, o.block = 4; }), none);
  EXPECT_EQ(changes([](WorkOrder& o) {
              std::swap(o.tensors[0], o.tensors[1]);
              o.matrices[0].tensor = 1, o.matrices[1].tensor = 0;
            }),
            none);
}

ItemResult result_of(const WorkOrder& order, Status status = Status::ok) {
  ItemResult out;
  out.keys = work_keys(order);
  for (const Subject& subject : order.subjects) {
    Features features{.analyzer = subject.analyzer, .subject = subject.path, .status = status};
    features.numbers["x"] = static_cast<double>(subject.path.size());
    out.features.push_back(std::move(features));
    out.spent.push_back(0.5);
  }
  return out;
}

class Leftover : public ::testing::Test {
 protected:
  /// What one attempt leaves.
  void attempt(const WorkOrder& order, Status status = Status::ok, bool sealed = false) {
    ResultLogs logs(path(), Leftovers::kept);
    ResultStore(logs, 1).add(0, result_of(order, status));
    if (sealed) logs.seal();
  }
  bool recalled(const WorkOrder& order) {
    ResultLogs logs(path(), Leftovers::kept);
    ResultStore store(logs, 1);
    if (!store.recall(order)) {
      EXPECT_EQ(store.known(0), 0U);
      return false;
    }
    const auto features = store.of_model(0)("intrinsic_fingerprint", "layers/0/qk");
    EXPECT_TRUE(features.has_value());
    EXPECT_EQ(*features, result_of(order).features[1]);
    return true;
  }
  std::filesystem::path path() const { return directory_.path("store"); }
  std::vector<std::filesystem::path> logs() const {
    std::vector<std::filesystem::path> out;
    for (const auto& entry : std::filesystem::directory_iterator(path()))
      if (entry.path().extension() == ".rec") out.push_back(entry.path());
    return out;
  }

  fixtures::TemporaryDirectory directory_;
};

TEST_F(Leftover, IsTakenOverByTheNextAttemptAndTheOneAfter) {
  for (const bool sealed : {false, true}) {
    EXPECT_FALSE(recalled(order()));
    attempt(order(), Status::ok, sealed);
    EXPECT_TRUE(recalled(order()));
    EXPECT_TRUE(recalled(order()));
    WorkOrder changed = order();
    changed.files[0].mtime_ns += 1;
    EXPECT_FALSE(recalled(changed));
    ASSERT_EQ(logs().size(), 1U);  // who has nothing to say leaves no log
    const auto writable =
        std::filesystem::status(logs().front()).permissions() & std::filesystem::perms::owner_write;
    EXPECT_EQ(writable == std::filesystem::perms::none, sealed);
    std::filesystem::remove(logs().front());
  }
}

TEST_F(Leftover, ThatIsCheckedIsFoundByItsBytesAndNoLongerByItsPlace) {
  const Hash128 content{17, 4};
  for (const bool sealed : {false, true}) {
    {
      ResultLogs logs(path(), Leftovers::kept);
      ResultStore(logs, 1).add(0, result_of(order()));
      const std::byte payload{1};
      logs.append({.key = {1, 2}, .content = content}, std::span(&payload, 1));
      if (sealed) logs.seal();
    }
    ResultLogs logs(path(), Leftovers::kept, EarlierResults::checked);
    ResultStore store(logs, 1);
    EXPECT_FALSE(store.recall(order()));
    EXPECT_FALSE(logs.promises({1, 2}));
    EXPECT_TRUE(logs.find_content(content));
    store.add(0, result_of(order()));  // what this run has read itself
    EXPECT_TRUE(ResultStore(logs, 1).recall(order()));
    logs.look_at_all();
    EXPECT_FALSE(logs.find({1, 2}));
    for (const auto& log : this->logs()) std::filesystem::remove(log);
  }
}

TEST_F(Leftover, OfFailuresIsNone) {
  attempt(order(), Status::failed);
  EXPECT_FALSE(recalled(order()));
  attempt(order(), Status::nonfinite);  // a fact about the weights
  ResultLogs logs(path(), Leftovers::kept);
  ResultStore store(logs, 1);
  EXPECT_TRUE(store.recall(order()));
}

TEST_F(Leftover, OfManyAttemptsIsFoundThoughFewFilesAreOpen) {
  std::vector<WorkOrder> orders(100, order());
  for (std::size_t i = 0; i < orders.size(); ++i) {
    orders[i].files[0].mtime_ns = static_cast<std::int64_t>(i);
    attempt(orders[i], Status::ok, i % 2 == 0);
  }
  for (const WorkOrder& o : orders) EXPECT_TRUE(recalled(o));
}

TEST_F(Leftover, OfHalfAnItemIsNone) {
  WorkOrder half = order();
  half.subjects.pop_back();
  attempt(half);
  EXPECT_FALSE(recalled(order()));
}

TEST_F(Leftover, OfASealedLogWithADamagedEndIsFound) {
  attempt(order(), Status::ok, true);
  const auto log = logs().front();
  const auto whole = std::filesystem::file_size(log);
  for (const std::streamoff back : {1, 12, 30, 60, 100}) {  // magic, offset, index, its header
    std::filesystem::permissions(log, std::filesystem::perms::owner_all);
    std::fstream file(log, std::ios::in | std::ios::out | std::ios::binary);
    file.seekg(static_cast<std::streamoff>(whole) - back);
    const char was = static_cast<char>(file.get());
    file.seekp(static_cast<std::streamoff>(whole) - back);
    file.put(static_cast<char>(was ^ 1));
    file.close();
    EXPECT_TRUE(recalled(order())) << back;
  }
}

TEST_F(Leftover, ThatIsDamagedInASealedLogIsNone) {
  attempt(order(), Status::ok, true);
  const auto log = logs().front();
  std::filesystem::permissions(log, std::filesystem::perms::owner_all);
  std::fstream file(log, std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(80);
  file.put('?');
  file.close();
  EXPECT_FALSE(recalled(order()));
}

TEST_F(Leftover, ThatIsTornIsNone) {
  attempt(order());
  const auto log = logs().front();
  const auto whole = std::filesystem::file_size(log);
  for (auto size = whole - 8; size > whole - 48; --size) {  // what is missing may be padding before that
    std::filesystem::resize_file(log, size);
    EXPECT_FALSE(recalled(order())) << size;
  }
  std::filesystem::resize_file(log, 0);
  EXPECT_FALSE(recalled(order()));
}

TEST_F(Leftover, BehindADamagedRecordIsFound) {
  WorkOrder second = order();
  second.files[0].path = "/models/b/model.safetensors";
  {
    ResultLogs logs(path(), Leftovers::kept);
    ResultStore store(logs, 1);
    store.add(0, result_of(order()));
    store.add(0, result_of(second));
  }
  const auto log = logs().front();
  for (const std::streamoff at : {2, 9, 17, 30, 60}) {  // magic, length, check sum, key, features
    std::fstream file(log, std::ios::in | std::ios::out | std::ios::binary);
    file.seekg(at);
    const char was = static_cast<char>(file.get());
    file.seekp(at);
    file.put(static_cast<char>(was ^ 1));
    file.close();
    EXPECT_FALSE(recalled(order())) << at;
    EXPECT_TRUE(recalled(second)) << at;
    std::fstream again(log, std::ios::in | std::ios::out | std::ios::binary);
    again.seekp(at);
    again.put(was);
  }
  EXPECT_TRUE(recalled(order()));
}

TEST_F(Leftover, OfARunThatStillWorksIsFoundAndItsClaimsAreSeen) {
  ResultLogs first(path(), Leftovers::kept), second(path(), Leftovers::kept);
  const auto keys = work_keys(order());
  first.claim(keys);
  EXPECT_FALSE(second.claimed(keys[0]));  // it has not looked
  std::this_thread::sleep_for(std::chrono::milliseconds(1100));
  second.look_again();
  EXPECT_TRUE(second.has_company());
  EXPECT_TRUE(second.claimed(keys[0]));
  std::this_thread::sleep_for(std::chrono::milliseconds(1100));
  second.look_again();
  EXPECT_TRUE(second.claimed(keys[0]));  // it is not forgotten
  ResultStore(first, 1).add(0, result_of(order()));
  std::this_thread::sleep_for(std::chrono::milliseconds(1100));
  second.look_again();
  ResultStore store(second, 1);
  EXPECT_TRUE(store.recall(order()));
  // Whoever wrote nothing for ten minutes is not waited for.
  std::filesystem::last_write_time(logs().front(),
                                   std::filesystem::file_time_type::clock::now() - std::chrono::minutes(11));
  std::filesystem::last_write_time(logs().back(),
                                   std::filesystem::file_time_type::clock::now() - std::chrono::minutes(11));
  std::this_thread::sleep_for(std::chrono::milliseconds(1100));
  second.look_again();
  EXPECT_FALSE(second.claimed(keys[0]));
}

TEST_F(Leftover, OfANewerVersionIsRefused) {
  std::filesystem::create_directories(path());
  std::ofstream(path() / "STORE.json") << R"({"schema": "stemma.store/9", "format": 9})";
  EXPECT_THROW(ResultLogs(path(), Leftovers::kept), InvalidInput);
  std::ofstream(path() / "STORE.json") << "?";
  EXPECT_THROW(ResultLogs(path(), Leftovers::kept), InvalidInput);
  EXPECT_TRUE(logs().empty());
}

TEST(ResultLogs, WithoutLeftoversRemoveTheirLog) {
  const fixtures::TemporaryDirectory directory;
  {
    ResultLogs logs(directory.path("store"), Leftovers::removed);
    ResultStore store(logs, 1);
    store.add(0, result_of(order()));
    EXPECT_EQ(store.known(0), 2U);
  }
  EXPECT_TRUE(std::filesystem::is_empty(directory.path("store")));
}

}  // namespace
}  // namespace stemma
