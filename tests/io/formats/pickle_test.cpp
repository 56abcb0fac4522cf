// Does the machine read what torch.save writes, stop at everything else, and stay small whatever it is given?
#include "io/formats/pickle.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "io/formats/limits.hpp"
#include "tests/io/formats/fixtures.hpp"
#include "tests/io/formats/torch_fixtures.hpp"

namespace stemma {
namespace {

using fixtures::raw;
using fixtures::rule_of_refusal;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using namespace fixtures::pickled;
using namespace std::string_literals;

Pickle unpickled(const std::string& stream) {
  return read_pickle(std::vector<char>(stream.begin(), stream.end()), 100, "file");
}

std::string pickle_refusal(const std::string& stream) {
  return rule_of_refusal([&] { unpickled(stream); });
}

/// What the pickle of one value makes of it.
struct Value {
  explicit Value(const std::string& value) : pickle(unpickled(whole(value))) {}
  PickleKind kind() const { return pickle.graph.kind(pickle.root); }
  std::optional<std::int64_t> integer() const { return pickle.graph.integer(pickle.root); }
  std::string text() const { return std::string(pickle.graph.text(pickle.root).value_or("no text")); }
  std::vector<std::int64_t> integers() const {
    std::vector<std::int64_t> out;
    for (const PickleRef item : pickle.graph.items(pickle.root))
      out.push_back(pickle.graph.integer(item).value_or(-99));
    return out;
  }
  Pickle pickle;
};

std::vector<std::string> rules_of_pickle(const Pickle& pickle) {
  std::vector<std::string> rules;
  for (const Finding& finding : pickle.findings) rules.push_back(finding.rule);
  return rules;
}

TEST(Pickle, Numbers) {
  EXPECT_EQ(Value("K\xFF"s).integer(), 255);
  EXPECT_EQ(Value("M\1\2"s).integer(), 513);
  EXPECT_EQ(Value("J\xFE\xFF\xFF\xFF"s).integer(), -2);
  EXPECT_EQ(Value("\x8A\0"s).integer(), 0);
  EXPECT_EQ(Value("\x8A\1\xFF"s).integer(), -1);
  EXPECT_EQ(Value("\x8A\2\xFF\0"s).integer(), 255);
  EXPECT_EQ(Value("\x8A\x08"s + raw(INT64_MIN)).integer(), INT64_MIN);
  EXPECT_EQ(Value("\x8A\x09\0\0\0\0\0\0\0\x80\0"s).kind(), PickleKind::opaque) << "2^63 does not fit";
  EXPECT_EQ(Value("\x88").integer(), 1);
  EXPECT_EQ(Value("\x89").integer(), 0);
  EXPECT_EQ(Value("N").kind(), PickleKind::none);
  EXPECT_EQ(Value("G\x3F\xF0\0\0\0\0\0\0"s).kind(), PickleKind::real);
}

TEST(Pickle, Texts) {
  EXPECT_EQ(Value("X\3\0\0\0abc"s).text(), "abc");
  EXPECT_EQ(Value("\x8C\3abc"s).text(), "abc");
  EXPECT_EQ(Value("\x8D\3\0\0\0\0\0\0\0abc"s).text(), "abc");
  EXPECT_EQ(Value("U\3abc"s).text(), "abc");
  EXPECT_EQ(Value("U\1\xFF"s).kind(), PickleKind::bytes);
  EXPECT_EQ(Value("C\1\xFF"s).kind(), PickleKind::bytes);
  EXPECT_EQ(Value("B\1\0\0\0\xFF"s).kind(), PickleKind::bytes);
  EXPECT_EQ(Value("X\3\0\0\0\xED\xA0\x80"s).text(), "\xED\xA0\x80") << "a lone surrogate";
}

TEST(Pickle, Containers) {
  EXPECT_THAT(Value("K\1\x85").integers(), ElementsAre(1));
  EXPECT_THAT(Value("K\1K\2\x86").integers(), ElementsAre(1, 2));
  EXPECT_THAT(Value("K\1K\2K\3\x87").integers(), ElementsAre(1, 2, 3));
  EXPECT_THAT(Value("(K\1K\2K\3K\4t").integers(), ElementsAre(1, 2, 3, 4));
  EXPECT_THAT(Value("(t").integers(), ElementsAre());
  EXPECT_THAT(Value("](K\1K\2eK\3a").integers(), ElementsAre(1, 2, 3));
  EXPECT_THAT(Value("}(K\1K\2K\3K\4uK\5K\6s").integers(), ElementsAre(1, 2, 3, 4, 5, 6));
  EXPECT_THAT(Value("\x8F(K\1K\2\x90").integers(), ElementsAre(1, 2));
  EXPECT_THAT(Value("]q\0K\1ah\0K\2a\x86"s).integers().size(), 2U) << "one list, twice";
  // Two lists that grow by turns.
  EXPECT_THAT(Value("]q\0]q\1K\1ah\0K\2a0h\1K\3a0h\0K\4aK\5a000h\0"s).integers(), ElementsAre(2, 4, 5));
  EXPECT_THAT(Value("K\7(K\1K\2\x31").integers(), ElementsAre()) << "POP_MARK";
  EXPECT_EQ(Value("K\7(K\1K\2\x31").integer(), 7);
  EXPECT_EQ(Value("K\7K\1\x30").integer(), 7);
  EXPECT_EQ(Value("K\7(\x30").integer(), 7) << "POP of a mark";
}

TEST(Pickle, Memo) {
  EXPECT_THAT(Value("K\5q\0h\0\x86"s).integers(), ElementsAre(5, 5));
  EXPECT_THAT(Value("K\5\x94K\6\x94h\0h\1\x86\x87"s).integers(), ElementsAre(5, 6, -99));
  EXPECT_THAT(Value("K\5r\xFF\xFF\xFF\xFFj\xFF\xFF\xFF\xFF\x86"s).integers(), ElementsAre(5, 5))
      << "slot 2^32 - 1";
  EXPECT_THAT(Value("K\5q\1K\6q\0K\7q\1\x87h\1\x86"s).integers(), ElementsAre(-99, 7))
      << "a slot holds what was put there last";
  EXPECT_EQ(pickle_refusal(whole("h\0"s)), "pickle.memo_missing");
  EXPECT_EQ(pickle_refusal(whole("K\5q\1h\2"s)), "pickle.memo_missing");
}

TEST(Pickle, Dicts) {
  const auto size_of = [](const std::string& value) {
    return Value(value).pickle.graph.size(Value(value).pickle.root);
  };
  const std::string type = global("collections", "OrderedDict");
  EXPECT_EQ(Value(type + ")R").kind(), PickleKind::dict);
  EXPECT_EQ(size_of(type + ")R(K\1K\2u"), 2U);
  EXPECT_EQ(size_of(type + "]((K\1K\2t]K\3aK\4ae\x85R"), 4U) << "pairs, as tuple and as list";
  EXPECT_EQ(Value(type + "]K\1a\x85R").kind(), PickleKind::opaque) << "no pairs";
  EXPECT_EQ(Value(type + ")\x81").kind(), PickleKind::dict);
  EXPECT_EQ(Value(type + ")R}" + text("_metadata") + "}sb").kind(), PickleKind::dict);
  EXPECT_EQ(size_of(global("collections", "Counter") + "}K\1K\2s\x85R"), 2U);
  EXPECT_EQ(size_of(global("__builtin__", "set") + "](K\1K\2e\x85R"), 2U);
}

TEST(Pickle, CallsOfStrangers) {
  const Value made(global("some.module", "Thing") + "K\1\x85R}b");
  EXPECT_EQ(made.kind(), PickleKind::opaque);
  EXPECT_EQ(made.pickle.graph.name(made.pickle.root), "some.module.Thing");
  EXPECT_THAT(rules_of_pickle(made.pickle), ElementsAre("unexpected_global", "pickle.globals"));
  EXPECT_EQ(made.pickle.findings[0].severity, Severity::warning);
  EXPECT_EQ(Value(global("m", "T") + ")\x81)R(K\1K\2u(K\1eK\1aK\1K\2s").kind(), PickleKind::opaque)
      << "whatever is done to something opaque";
  EXPECT_THAT(Value(global("torch", "Size") + "(K\2K\3t\x85R").integers(), ElementsAre(2, 3));
  EXPECT_EQ(Value(global("_codecs", "encode") + text("x") + text("latin1") + "\x86R").kind(),
            PickleKind::opaque);
  EXPECT_THAT(Value(global("_codecs", "encode")).pickle.findings.size(), 1U) << "a name that torch writes";
}

TEST(Pickle, NamesThatWouldRunCode) {
  const std::string action = text("touch sentinel") + "\x85R";
  for (const std::string& call :
       {global("os", "system"), global("posix", "system"), global("nt", "system"),
        global("subprocess", "Popen"), global("builtins", "eval"), global("__builtin__", "exec"),
        global("builtins", "getattr"), global("sys", "exit"), global("runpy", "run_path"),
        global("socket", "socket"), global("webbrowser", "open"), "\x8C\2os\x8C\6system\x93"s,
        text("os.path") + text("join") + "\x93"}) {
    EXPECT_EQ(pickle_refusal(whole(call + action)), "unexpected_global") << call;
    EXPECT_EQ(pickle_refusal(whole(call + action + "0}")), "unexpected_global")
        << "thrown away, run all the same";
    EXPECT_EQ(pickle_refusal("\x80\2"s + call + action + "\xFF"), "unexpected_global")
        << "run before the fault is met";
    EXPECT_EQ(pickle_refusal("\x80\2"s + call), "unexpected_global");
  }
  try {
    unpickled(whole(global("torch", "FloatStorage") + "0" + global("os", "system") + action));
    FAIL();
  } catch (const InvalidInput& refused) {
    EXPECT_EQ(refused.finding().severity, Severity::error);
    EXPECT_EQ(refused.finding().found, "os.system");
    EXPECT_EQ(refused.finding().byte_offset, 100U + 2 + 20 + 1);
    EXPECT_THAT(refused.finding().hint, HasSubstr("would run code"));
    EXPECT_THAT(refused.finding().hint, HasSubstr("torch.FloatStorage"));
  }
  EXPECT_EQ(pickle_refusal(whole(global("osmosis", "system") + action)), "") << "another module";
}

TEST(Pickle, Protocols) {
  EXPECT_EQ(rules_of_pickle(unpickled("\x80\2N."s)).size(), 0U);
  for (const char version : {'\3', '\4', '\5'})
    EXPECT_THAT(rules_of_pickle(unpickled("\x80"s + version + "N.")), ElementsAre("pickle.protocol"));
  for (const char version : {'\0', '\1', '\6'})
    EXPECT_EQ(pickle_refusal("\x80"s + version + "N."), "pickle.protocol");
  EXPECT_EQ(pickle_refusal("\x80\4\x95" + raw(std::uint64_t{2}) + "N."), "");
  EXPECT_EQ(pickle_refusal("\x80\4\x95" + raw(std::uint64_t{3}) + "N."), "pickle.truncated");
}

TEST(Pickle, Opcodes) {
  // Everything that the machine does not know, the text opcodes of protocol 0 among them.
  const std::string known =
      "().01BCGJKMNQRUX]abcehjqrstu}\x80\x81\x85\x86\x87\x88\x89\x8A\x8C\x8D\x8F\x90\x93\x94\x95";
  for (int code = 0; code < 256; ++code) {
    const auto opcode = static_cast<char>(code);
    const std::string rule = pickle_refusal("\x80\2"s + opcode);
    if (known.find(opcode) == std::string::npos)
      EXPECT_EQ(rule, "pickle.opcode") << code;
    else
      EXPECT_NE(rule, "pickle.opcode") << code;
  }
  EXPECT_EQ(pickle_refusal("\x80\2S'text'\n."), "pickle.opcode");
}

TEST(Pickle, Truncated) {
  const std::string stream =
      whole(dict({{"a", rebuilt({.elements = 4, .shape = {2, 2}, .strides = {2, 1}})}, {"b", "G12345678"}}));
  EXPECT_EQ(pickle_refusal(stream), "");
  for (std::size_t bytes = 0; bytes < stream.size(); ++bytes) {
    const std::string rule = pickle_refusal(stream.substr(0, bytes));
    EXPECT_TRUE(rule == "pickle.truncated" || rule == "pickle.global_line") << bytes << " " << rule;
  }
  EXPECT_EQ(pickle_refusal("\x80\2X\xFF\xFF\xFF\0"s), "pickle.truncated");
}

TEST(Pickle, Stack) {
  for (const std::string& value :
       {"K\1\x86"s, "\x85"s,   "K\1\x87"s,  "a"s,    "]a"s,   "}K\1s"s, "R"s,    "K\1R"s,
        "b"s,       "0"s,      "q\0"s,      "\x94"s, "\x93"s, "Q"s,     "\x81"s, "(K\1t0K\1\x86"s,
        "(e"s,      "((K\1e"s, "K\1(\x85"s, "](R"s})
    EXPECT_EQ(pickle_refusal(whole(value)), "pickle.stack_underflow") << value;
  for (const std::string& value : {"t"s, "u"s, "]e"s, "\x31"s, "\x90"s})
    EXPECT_EQ(pickle_refusal(whole(value)), "pickle.mark_missing");
  EXPECT_EQ(pickle_refusal(whole("}(K\1u")), "pickle.setitems_odd");
  EXPECT_EQ(pickle_refusal(whole("}K\1a")), "pickle.append_target");
  EXPECT_EQ(pickle_refusal(whole("K\1(K\1e")), "pickle.append_target");
  EXPECT_EQ(pickle_refusal(whole("](K\1\x90")), "pickle.append_target");
  EXPECT_EQ(pickle_refusal(whole("]K\1K\2s")), "pickle.setitem_target");
  EXPECT_EQ(pickle_refusal(whole("](K\1K\2u")), "pickle.setitem_target");
  EXPECT_EQ(pickle_refusal(whole("")), "pickle.result");
  EXPECT_EQ(pickle_refusal(whole("NN")), "pickle.result");
  EXPECT_EQ(pickle_refusal(whole("N(")), "pickle.result");
  EXPECT_THAT(rules_of_pickle(unpickled(whole("N") + "more")), ElementsAre("pickle.trailing_bytes"));
}

TEST(Pickle, Names) {
  EXPECT_EQ(pickle_refusal(whole("X\1\0\0\0\xFF"s)), "pickle.string_utf8");
  EXPECT_EQ(pickle_refusal(whole("X\2\0\0\0\xC0\x80"s)), "pickle.string_utf8");
  EXPECT_EQ(pickle_refusal(whole(global("m", std::string(512, 'n')))), "");
  EXPECT_EQ(pickle_refusal(whole(global("m", std::string(513, 'n')))), "pickle.global_line");
  EXPECT_EQ(pickle_refusal(whole("cos\r\nsystem\r\n")), "pickle.global_line") << "line ends were converted";
  EXPECT_EQ(pickle_refusal(whole(text("m\r") + text("n") + "\x93")), "pickle.global_line");
  EXPECT_EQ(pickle_refusal(whole("K\1K\2\x93")), "pickle.stack_global");
}

TEST(Pickle, PersistentIds) {
  const std::string head = "(" + text("storage") + global("torch", "FloatStorage");
  EXPECT_EQ(Value(head + text("0") + text("cpu") + "K\4tQ").kind(), PickleKind::storage);
  for (const std::string& id :
       {text("storage"), "(t"s, head + text("0") + text("cpu") + "t", head + "K\0"s + text("cpu") + "K\4t",
        head + text("0") + text("cpu") + "J\xFF\xFF\xFF\xFFt",
        head + text("0") + text("cpu") + "\x8A\x09\0\0\0\0\0\0\0\x80\0t"s,
        "(" + text("module") + global("torch", "FloatStorage") + text("0") + text("cpu") + "K\4t",
        "(" + text("storage") + global("torch", "float32") + text("0") + text("cpu") + "K\4t",
        "(" + text("storage") + text("FloatStorage") + text("0") + text("cpu") + "K\4t"})
    EXPECT_EQ(pickle_refusal(whole(id + "Q")), "pickle.persistent_id") << id;
}

TEST(Pickle, ValuesThatContainThemselves) {
  const Value list("]q\0h\0a"s);
  EXPECT_THAT(list.pickle.graph.items(list.pickle.root), ElementsAre(list.pickle.root));
  const Value dict("}q\0K\1h\0s"s);
  EXPECT_EQ(dict.pickle.graph.size(dict.pickle.root), 2U);
}

TEST(Pickle, Depth) {
  // A million tuples in each other, and nobody recurses.
  const Value deep("N" + std::string(1'000'000, '\x85'));
  EXPECT_EQ(deep.kind(), PickleKind::tuple);
  EXPECT_GT(deep.pickle.graph.node_count(), 1'000'000U);
}

TEST(Pickle, BillionLaughs) {
  // Each dict holds the one before ten times; written out it would have 10^40 values.
  std::string stream = "}q\0"s;
  for (int level = 1; level <= 40; ++level) {
    stream += "}q" + raw(static_cast<std::uint8_t>(level)) + "(";
    for (int i = 0; i < 10; ++i)
      stream += "K" + raw(static_cast<std::uint8_t>(i)) + "h" + raw(static_cast<std::uint8_t>(level - 1));
    stream += "u\x86";
  }
  EXPECT_LT(Value(stream).pickle.graph.node_count(), 1'000U);
}

TEST(Pickle, StreamsByChance) {
  // Opcodes in any order, and any bytes at all: a value or a refusal.
  const std::string opcodes =
      "().01BCGJKMNQRUX]abcehjqrstu}\x80\x81\x85\x86\x87\x88\x89\x8A\x8C\x8D\x8F\x90\x93\x94\x95";
  std::mt19937 random(11);
  std::size_t read_to_the_end = 0;
  for (int round = 0; round < 200'000; ++round) {
    std::string stream = "\x80\2";
    for (auto i = random() % 40; i > 0; --i)
      stream += random() % 4 == 0 ? static_cast<char>(random()) : opcodes[random() % opcodes.size()];
    read_to_the_end += pickle_refusal(stream + ".").empty() ? 1 : 0;
  }
  EXPECT_GT(read_to_the_end, 100U);
}

TEST(Pickle, Limits) {
  EXPECT_EQ(pickle_refusal(whole(std::string((1U << 20) - 1, '(') + "N")), "pickle.result");
  EXPECT_EQ(pickle_refusal(whole(std::string(1U << 20, '(') + "N")), "pickle.limit") << "stack";
  EXPECT_EQ(pickle_refusal(whole(std::string((1U << 20) + 1, 'N'))), "pickle.limit") << "stack";
  EXPECT_EQ(pickle_refusal(whole("X" + raw((16U << 20) + 1) + std::string((16U << 20) + 1, 'a'))),
            "pickle.limit")
      << "text";
  EXPECT_EQ(rule_of_refusal([] { read_pickle(std::vector<char>((256U << 20) + 1), 0, "file"); }),
            "pickle.limit");
  std::string memo = "N";
  for (std::uint32_t i = 0; i <= 1U << 22; ++i) memo += "r" + raw(i * 7);
  EXPECT_EQ(pickle_refusal(whole(memo)), "pickle.limit") << "memo";
  std::string nodes;
  for (int i = 0; i <= 1 << 24; ++i) nodes += "]0";
  EXPECT_EQ(pickle_refusal(whole(nodes)), "pickle.limit") << "nodes";
  std::string names;
  for (int i = 0; i <= 65'536; ++i) names += global("m", std::to_string(i)) + "0";
  EXPECT_EQ(pickle_refusal(whole(names)), "pickle.limit") << "names";
  std::string opcodes = "\x80\2";
  while (opcodes.size() <= limits::pickle_opcodes) opcodes += "N0";
  EXPECT_EQ(pickle_refusal(opcodes), "pickle.limit");
}

TEST(Pickle, CopiesAreCounted) {
  // A list of a hundred thousand pairs, or of what is none, called into a dict again and again.
  for (const std::string& item : {"(K\1K\2t"s, "K\1"s}) {
    std::string stream = global("collections", "OrderedDict") + "q\0]q\1("s;
    for (int i = 0; i < 100'000; ++i) stream += item;
    stream += "e\x85q\2\x30"s;
    for (int i = 0; i < 100'000; ++i) stream += "h\0h\2R0"s;
    EXPECT_EQ(pickle_refusal(whole(stream)), "pickle.limit");
  }
}

}  // namespace
}  // namespace stemma
