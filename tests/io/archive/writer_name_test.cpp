// Is a file that is not whole yet told from all others by its name?
#include "io/archive/writer_name.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

namespace stemma {
namespace {

TEST(WriterName, TemporaryFilesAreKnownByTheirNames) {
  const auto name = temporary_name("/runs/a/run.h5", writer_name());
  EXPECT_EQ(name.parent_path(), "/runs/a");
  EXPECT_TRUE(name.filename().string().starts_with("run.h5.tmp."));
  EXPECT_TRUE(name.filename().string().ends_with("." + std::to_string(getpid())));
  EXPECT_TRUE(is_temporary(name.filename().string()));
  EXPECT_TRUE(is_temporary("models.tsv.tmp.node-7.cluster.example.12"));
  for (const char* other : {"run.h5", "tmp.a.1", "run.tmp", "run.tmp.", "run.tmp.12", "run.tmp.node7.",
                            "run.tmp.node7.x1", "run.tmp.node7.1.pairs", ""})
    EXPECT_FALSE(is_temporary(other)) << other;
}

}  // namespace
}  // namespace stemma
