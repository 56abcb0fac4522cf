// Are absolute paths shortened wherever they stand, and nothing else?
#include "io/report/redaction.hpp"

#include <gtest/gtest.h>

#include <string>

namespace stemma {
namespace {

struct Case {
  std::string text;
  std::string expected;
};

const std::string home = "/home", users = "/Users", root = "/root";

TEST(Redaction, ShortensPathsToTheirLastTwoParts) {
  const Redaction redaction{std::vector<std::string>{}};
  for (const auto& [text, expected] : {
           Case{"/proj/a/models/llama", "…/models/llama"},
           Case{"/proj/a/models/llama/", "…/models/llama"},
           Case{"/scratch/x", "…/scratch/x"},
           Case{"/x", "…/x"},
           Case{"//proj//a/b", "…/a/b"},
           Case{home + "/bob/models/llama", "…/models/llama"},
           Case{home + "/bob/llama", "…/llama"},
           Case{home + "/bob", "…"},
           Case{users + "/bob/llama", "…/llama"},
           Case{root + "/llama", "…/llama"},
           Case{"/proj/a/b/c.yaml:14:5", "…/b/c.yaml:14:5"},
           Case{"/proj/a/b.safetensors: truncated (see /proj/a/c/d, /proj/a/e).",
                "…/a/b.safetensors: truncated (see …/c/d, …/a/e)."},
           Case{"--output=/proj/a/b --store /proj/c/d", "--output=…/a/b --store …/c/d"},
           Case{R"({"path": "/proj/a/b"})", R"({"path": "…/a/b"})"},
           Case{"a\t/proj/x/y/z\tb\n/proj/x/y/z", "a\t…/y/z\tb\n…/y/z"},
           Case{"/proj/a/base+/proj/b/lora+r8", "…/a/base+…/b/lora+r8"},
           Case{"file:///proj/x/y/z", "file:…/y/z"},
       })
    EXPECT_EQ(redaction(text), expected) << text;
}

TEST(Redaction, LeavesWhatIsNoAbsolutePath) {
  const Redaction redaction{std::vector<std::string>{}};
  for (const char* text :
       {"", "/", "layers/3/attn.q", "runs/demo/a.tsv", "../zoo/aspen", "./a/b", "~/a/b", "12/13 items",
        "0.9 GB/s", "https://example.org/a/b/c", "1 / 2", "and/or", "…/models/llama"})
    EXPECT_EQ(redaction(text), text);
}

TEST(Redaction, ChangesNothingWithoutBeingAsked) {
  EXPECT_FALSE(Redaction().active());
  EXPECT_EQ(Redaction()("/proj/a/b/c"), "/proj/a/b/c");
}

TEST(Redaction, KnowsThatItDidItsWork) {
  const Redaction redaction{std::vector<std::string>{"/proj/My Models/a"}};
  for (const std::string& text :
       {std::string("/proj/a/b/c and /d/e/f"), home + "/bob/x", std::string("/proj/My Models/a/b.gguf")})
    EXPECT_EQ(redaction(redaction(text)), redaction(text));
}

TEST(Redaction, FindsKnownPathsWithBlanksWhole) {
  const Redaction redaction{std::vector<std::string>{home + "/bob/My Models (old)/aspen, first"}};
  EXPECT_EQ(redaction("reads " + home + "/bob/My Models (old)/aspen, first, then ends"),
            "reads …/My Models (old)/aspen, first, then ends");
  EXPECT_EQ(redaction(home + "/bob/My Models (old)/aspen, first/model.gguf: odd"),
            "…/aspen, first/model.gguf: odd");
  EXPECT_EQ(redaction("below " + home + "/bob/My Models (old)"), "below …/My Models (old)");
  EXPECT_EQ(redaction("/proj/x/other thing"), "…/x/other thing");  // the second word is no part of it
}

}  // namespace
}  // namespace stemma
