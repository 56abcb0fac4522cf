// Is a published SHA-256 found where the hub's tools leave it, and is nothing else taken for one?
#include "io/formats/published_hash.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <string>

namespace stemma {
namespace {

namespace fs = std::filesystem;

class PublishedHash : public testing::Test {
 protected:
  PublishedHash() {
    fs::remove_all(root_);
    fs::create_directories(root_);
  }
  ~PublishedHash() override { fs::remove_all(root_); }

  fs::path write(const std::string& name, const std::string& text) const {
    const fs::path path = root_ / name;
    fs::create_directories(path.parent_path());
    std::ofstream(path) << text;
    return path;
  }

  const fs::path root_ =
      fs::path(testing::TempDir()) / testing::UnitTest::GetInstance()->current_test_info()->name();
  const std::string digest_ = "9c1f20ab12cd" + std::string(52, '7');
  const std::string commit_ = std::string(40, 'c');  // a git blob's name: SHA-1
};

TEST_F(PublishedHash, NameOfTheBlobInACache) {
  write("blobs/" + digest_, "weights");
  write("blobs/" + commit_, "{}");
  fs::create_directories(root_ / "snapshots/x");
  fs::create_symlink("../../blobs/" + digest_, root_ / "snapshots/x/model.safetensors");
  fs::create_symlink("../../blobs/" + commit_, root_ / "snapshots/x/config.json");
  EXPECT_EQ(published_sha256(root_ / "snapshots/x/model.safetensors"), digest_);
  EXPECT_EQ(published_sha256(root_ / "snapshots/x/config.json"), "");
  EXPECT_EQ(published_sha256(root_ / "snapshots/x/absent"), "");
}

TEST_F(PublishedHash, MetadataBesideACopy) {
  const fs::path file = write("m/model.safetensors", "weights"), below = write("m/sub/part.safetensors", "w");
  EXPECT_EQ(published_sha256(file), "");
  write("m/.cache/huggingface/download/model.safetensors.metadata", commit_ + "\n" + digest_ + "\n1700.5\n");
  write("m/.cache/huggingface/download/sub/part.safetensors.metadata", commit_ + "\r\n" + digest_ + "\r\n");
  EXPECT_EQ(published_sha256(file), digest_);
  EXPECT_EQ(published_sha256(below), digest_);
}

TEST_F(PublishedHash, MetadataThatSaysSomethingElse) {
  const fs::path file = write("m/model.safetensors", "weights");
  for (const std::string& text :
       {std::string(), commit_ + "\n", commit_ + "\n" + commit_ + "\n", digest_ + "\n\n",
        commit_ + "\n" + digest_ + "7\n", commit_ + "\n\"" + digest_ + "\"\n", std::string(100'000, 'a')}) {
    write("m/.cache/huggingface/download/model.safetensors.metadata", text);
    EXPECT_EQ(published_sha256(file), "") << text.substr(0, 200);
  }
}

}  // namespace
}  // namespace stemma
