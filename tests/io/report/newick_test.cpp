// Is a tree one line that other programs read, whatever strangers call their models?
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <stdexcept>

#include "io/report/family_tree.hpp"

namespace stemma {
namespace {

/// Three leaves, two of them below an inner node: ((0,1),2).
FamilyTree three() {
  FamilyTree tree;
  tree.nodes = {{.parent = FamilyTree::none},
                {.parent = 0, .length = 0.25, .support = 97},
                {.parent = 1, .leaf = 0, .length = 0.1},
                {.parent = 1, .leaf = 1, .length = 1e-7},
                {.parent = 0, .leaf = 2, .length = 2}};
  return tree;
}

TEST(Newick, NamesLengthsAndSupport) {
  EXPECT_EQ(newick(three(), {"a", "b-2.0_x", "C"}), "((a:0.1,b-2.0_x:1e-07)97:0.25,C:2);");
  FamilyTree tree = three();
  tree.nodes[1].support = 97.5;
  tree.nodes[2].length = 0.1 + 0.2;  // not 0.3
  EXPECT_EQ(newick(tree, {"a", "b", "c"}), "((a:0.30000000000000004,b:1e-07)97.5:0.25,c:2);");
  tree.nodes[1].support = std::nan("");
  tree.nodes[2].length = 0;
  EXPECT_EQ(newick(tree, {"a", "b", "c"}), "((a:0,b:1e-07):0.25,c:2);");
}

TEST(Newick, NamesOfStrangers) {
  EXPECT_EQ(newick(three(), {"org/model", "it's (a), tree:1;", ""}),
            "(('org/model':0.1,'it''s (a), tree:1;':1e-07)97:0.25,'':2);");
  EXPECT_EQ(newick(three(), {"two\nlines\r", "tab\there\\", "\x1b[31m\x7f"}),
            "(('two\\nlines\\r':0.1,'tab\\there\\\\':1e-07)97:0.25,'\\x1B[31m\\x7F':2);");
  // Another direction of writing, a line separator, bytes that are no UTF-8; letters of other scripts stay.
  EXPECT_EQ(newick(three(), {"\xE2\x80\xAEgpj", "a\xE2\x80\xA8z", "\xFF\xC3\xA4"}),
            "(('\\u{202E}gpj':0.1,'a\\u{2028}z':1e-07)97:0.25,'\\xFF\xC3\xA4':2);");
}

TEST(Newick, FewNodesAndMany) {
  EXPECT_EQ(newick({}, {}), ";");
  FamilyTree one;
  one.nodes.push_back({.leaf = 0, .length = 3});
  EXPECT_EQ(newick(one, {"only one"}), "'only one';");
  // A chain: leaf, inner, leaf, inner, ... deeper than a stack would like.
  constexpr std::uint32_t n = 200'000;
  FamilyTree chain;
  chain.nodes.push_back({});
  std::vector<std::string> names;
  for (std::uint32_t i = 0; i < n; ++i) {
    const std::uint32_t parent = i == 0 ? 0 : 2 * i;
    chain.nodes.push_back({.parent = parent, .leaf = i, .length = 1});
    chain.nodes.push_back({.parent = parent, .length = 1});
    names.push_back("x");
  }
  const std::string line = newick(chain, names);
  EXPECT_EQ(std::ranges::count(line, '('), static_cast<std::ptrdiff_t>(n));
  EXPECT_EQ(std::ranges::count(line, 'x'), static_cast<std::ptrdiff_t>(n));
  EXPECT_EQ(line.substr(0, 12), "(x:1,(x:1,(x");
}

TEST(Newick, RefusesWhatIsNoTree) {
  EXPECT_THROW(newick(three(), {"a", "b"}), std::invalid_argument);
  FamilyTree tree = three();
  tree.nodes[1].parent = 4;
  EXPECT_THROW(newick(tree, {"a", "b", "c"}), std::invalid_argument);
}

}  // namespace
}  // namespace stemma
