// Do key=value arguments change a configuration as the grammar says, and name themselves when they cannot?
#include "io/config/overrides.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace stemma {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

/// A compact print of a tree, so that one comparison shows the whole outcome.
std::string flow(const YamlNode& node) {
  switch (node.kind) {
    case YamlNode::Kind::null:
      return "~";
    case YamlNode::Kind::scalar:
      return node.text;
    case YamlNode::Kind::list:
      break;
    case YamlNode::Kind::mapping:
      break;
  }
  std::string out;
  for (std::size_t i = 0; i < node.values.size(); ++i) {
    if (i > 0) out += ",";
    if (node.kind == YamlNode::Kind::mapping) out += node.keys[i].text + ":";
    out += flow(node.values[i]);
  }
  return node.kind == YamlNode::Kind::list ? "[" + out + "]" : "{" + out + "}";
}

struct Changed {
  explicit Changed(const std::string& yaml, const std::vector<std::string>& arguments)
      : complaints("a.yaml") {
    root = *parse_yaml(yaml, complaints);
    int n = 0;
    for (const std::string& text : arguments) {
      apply_override(root, {text, "argument " + std::to_string(++n)}, complaints);
    }
    for (const Problem& problem : complaints.problems()) sentences.push_back(sentence(problem));
  }
  Complaints complaints;
  YamlNode root;
  std::vector<std::string> sentences;
};

TEST(Overrides, AreRecognised) {
  for (const char* text : {"seed=1", "runtime.strict=true", "models[0].id=x", "models+=a", "~compare.tests",
                           "a=", "a.B2_c=1", "_x=1", "~1"}) {
    EXPECT_TRUE(is_override(text)) << text;
  }
  for (const char* text : {"./a=b", "audit.yaml", "A=b", "a b=c", "a.=1", "a[x]=1", "=1", "", "~", "~/models",
                           "a[1=2", "9a=1", "a-b=1"}) {
    EXPECT_FALSE(is_override(text)) << text;
  }
}

TEST(Overrides, SetAppendAndRemoveFromLeftToRight) {
  EXPECT_EQ(flow(Changed("seed: 1\n", {"seed=2", "seed=3"}).root), "{seed:3}");
  EXPECT_EQ(flow(Changed("", {"runtime.strict=true"}).root), "{runtime:{strict:true}}");
  EXPECT_EQ(flow(Changed("runtime:\n", {"runtime.strict=true"}).root), "{runtime:{strict:true}}");
  EXPECT_EQ(flow(Changed("models: [a]\n", {"models+=b", "models+=[c, {path: d}]"}).root),
            "{models:[a,b,c,{path:d}]}");
  EXPECT_EQ(flow(Changed("", {"architectures+=x"}).root), "{architectures:[x]}");
  EXPECT_EQ(flow(Changed("models: [{path: a}, {path: b}]\n", {"models[1].id=x"}).root),
            "{models:[{path:a},{path:b,id:x}]}");
  EXPECT_EQ(flow(Changed("a: {b: 1, c: 2}\nd: 3\n", {"~a.b", "~d"}).root), "{a:{c:2}}");
  EXPECT_EQ(flow(Changed("models: [a, b]\n", {"~models[0]"}).root), "{models:[b]}");
  EXPECT_EQ(flow(Changed("", {"analyzers={content: {}}"}).root), "{analyzers:{content:{}}}");
  EXPECT_EQ(flow(Changed("", {"description=a = b, c"}).root), "{description:a = b, c}");
  EXPECT_EQ(flow(Changed("seed: 1\n", {"~seed", "seed=5"}).root), "{seed:5}");
}

TEST(Overrides, ValuesCarryTheArgumentAsTheirPlace) {
  const Changed changed("a: {b: 1}\n", {"seed=1", "a.b={c: [d]}"});
  const YamlNode* b = changed.root.find("a")->find("b");
  EXPECT_EQ(b->at.argument, "argument 2");
  EXPECT_EQ(b->find("c")->values[0].at.argument, "argument 2");
  EXPECT_EQ(b->keys[0].at.argument, "argument 2");
  EXPECT_EQ(changed.root.find("a")->at.argument, "");
}

TEST(Overrides, MistakesNameTheArgument) {
  const Changed changed("models: [a]\nname: x\n",
                        {"~seed", "models[1].id=x", "models[0].id=x", "name+=y", "name.first=z", "seed=*x",
                         "a: 1", "~", "seed=&x 1", "name[0]=q"});
  EXPECT_THAT(
      changed.sentences,
      ElementsAre("argument 1: seed is not given, so there is nothing to remove",
                  "argument 2: models[1] does not exist; models has 1 item, counted from 0",
                  HasSubstr("argument 3: models[0] is a single value, which has no key id"),
                  HasSubstr("argument 4: name is a single value, not a list; += appends to lists"),
                  HasSubstr("argument 5: name is a single value, which has no key first"),
                  HasSubstr("argument 6: the value begins with *"),
                  HasSubstr("argument 7: a: 1 is not an override"),
                  HasSubstr("argument 8: ~ is not an override"), HasSubstr("argument 9: &x is an anchor"),
                  HasSubstr("argument 10: name is a single value, not a list; [0] means nothing")));
}

}  // namespace
}  // namespace stemma
