// Does a name of the hub lead to exactly the snapshot that it means, or to a sentence that says what to do?
#include "io/config/hub_cache.hpp"

#include <gmock/gmock.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <map>

#include "io/config/merged_location.hpp"

namespace stemma {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

const std::string commit = "0123456789abcdef0123456789abcdef01234567", other(40, 'f');

class HubCache : public ::testing::Test {
 protected:
  HubCache() {
    std::string name = (fs::temp_directory_path() / "stemma-XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr) throw std::runtime_error("no temporary directory");
    root_ = name;
    variables_["HF_HUB_CACHE"] = root_.string();
    add("models--org--name", "main", commit);
    add("models--org--name", "refs/pr/1", other);
    add("models--gpt2", "main", commit);
  }
  ~HubCache() override { fs::remove_all(root_); }

  void add(const std::string& folder, const std::string& ref, const std::string& of) const {
    fs::create_directories(root_ / folder / "snapshots" / of);
    fs::create_directories((root_ / folder / "refs" / ref).parent_path());
    std::ofstream(root_ / folder / "refs" / ref) << of << "\n";
  }
  ExpandedPath find(const std::string& text) const {
    const auto environment = [&](const std::string& name) -> std::optional<std::string> {
      const auto found = variables_.find(name);
      return found == variables_.end() ? std::nullopt : std::optional(found->second);
    };
    return model_location(text, root_.string(), environment);
  }
  std::string snapshot(const std::string& folder, const std::string& of) const {
    return (root_ / folder / "snapshots" / of).string();
  }

  fs::path root_;
  std::map<std::string, std::string> variables_;
};

TEST_F(HubCache, FindsRevisions) {
  EXPECT_EQ(find("hf:org/name").path, snapshot("models--org--name", commit));
  EXPECT_EQ(find("hf:org/name@main").path, snapshot("models--org--name", commit));
  EXPECT_EQ(find("hf:org/name@refs/pr/1").path, snapshot("models--org--name", other));
  EXPECT_EQ(find("hf:org/name@" + other).path, snapshot("models--org--name", other));
  EXPECT_EQ(find("hf:gpt2").path, snapshot("models--gpt2", commit));
  EXPECT_EQ(find("org/name").path, snapshot("models--org--name", commit)) << "where no path has that name";
}

TEST_F(HubCache, PathsComeFirst) {
  fs::create_directories(root_ / "org/name");
  EXPECT_EQ(find("org/name").path, (root_ / "org/name").string());
  EXPECT_EQ(find("hf:org/name").path, snapshot("models--org--name", commit));
  EXPECT_EQ(find("no/such").path, (root_ / "no/such").string()) << "the sentence will be about the path";
}

TEST_F(HubCache, NeverTakesAnotherSnapshot) {
  EXPECT_THAT(find("hf:org/name@v2").problem,
              HasSubstr("hf:org/name has no revision v2 in the cache " + root_.string() +
                        " (refs: main, refs; "
                        "snapshots: " +
                        commit));
  EXPECT_THAT(find("hf:org/name@" + std::string(40, 'a')).problem, HasSubstr("has no revision"));
  std::ofstream(root_ / "models--org--name/refs/bad") << "../../../etc";
  EXPECT_THAT(find("hf:org/name@bad").problem, HasSubstr("has no revision bad"));
  EXPECT_THAT(find("hf:no/such").problem, "hf:no/such is not in the cache " + root_.string() +
                                              ". Fetch it where there is network: hf download no/such");
}

TEST_F(HubCache, KnowsAllPlacesOfTheCache) {
  const std::string hub = (root_ / "home/hub").string();
  fs::create_directories(fs::path(hub));
  fs::copy(root_ / "models--gpt2", fs::path(hub) / "models--gpt2", fs::copy_options::recursive);
  for (const auto& [name, value] : std::map<std::string, std::string>{
           {"HUGGINGFACE_HUB_CACHE", hub}, {"HF_HOME", (root_ / "home").string()}}) {
    variables_ = {{name, value}};
    EXPECT_EQ(find("hf:gpt2").path, hub + "/models--gpt2/snapshots/" + commit) << name;
  }
  fs::create_directories(root_ / "x/.cache/huggingface");
  fs::rename(hub, root_ / "x/.cache/huggingface/hub");
  for (const auto& [name, value] : std::map<std::string, std::string>{
           {"XDG_CACHE_HOME", (root_ / "x/.cache").string()}, {"HOME", (root_ / "x").string()}}) {
    variables_ = {{name, value}};
    EXPECT_THAT(find("hf:gpt2").path,
                ::testing::EndsWith("x/.cache/huggingface/hub/models--gpt2/snapshots/" + commit));
  }
}

TEST_F(HubCache, RefusesWhatIsNoName) {
  for (const std::string text : {"hf:", "hf:../x", "hf:a/b/c", "hf:a--b/c", "hf:.a/b", "hf:a/b-", "hf:a/b@..",
                                 "hf:a/b@../x", "hf:a/b@x//y", "hf:a/b@", "hf:a b/c"})
    EXPECT_THAT(find(text).problem, HasSubstr("is no name of the hub")) << text;
  EXPECT_THAT(find("hf:" + std::string(97, 'a') + "/b").problem, HasSubstr("is no name of the hub"));
}

TEST_F(HubCache, MergesAdapters) {
  fs::create_directories(root_ / "lora+v2");
  EXPECT_EQ(find("hf:org/name+lora+v2").path,
            snapshot("models--org--name", commit) + "+" + (root_ / "lora+v2").string());
  EXPECT_EQ(find("lora+v2").path, (root_ / "lora+v2").string())
      << "a directory may have the sign in its name";
  const auto both = base_and_adapter(find("hf:gpt2+lora+v2").path);
  ASSERT_TRUE(both);
  EXPECT_EQ(both->base, snapshot("models--gpt2", commit));
  EXPECT_EQ(both->adapter, (root_ / "lora+v2").string());
  EXPECT_EQ(why_absent_model(find("hf:gpt2+lora+v2").path), "");
  EXPECT_EQ(why_absent_model(find("hf:gpt2+lora+v3").path), "does not exist");
}

TEST(HubFolderName, IsTheModelsNameInsideACache) {
  EXPECT_EQ(hub_folder_name("/hub/models--org--name/snapshots/" + commit), "org--name");
  EXPECT_EQ(hub_folder_name("/hub/models--org--name/snapshots/" + commit + "/"), "org--name");
  EXPECT_EQ(hub_folder_name("/hub/models--org--name/snapshots/main"), "");
  EXPECT_EQ(hub_folder_name("/models/name"), "");
}

}  // namespace
}  // namespace stemma
