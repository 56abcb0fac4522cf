// Do globs and sheets become the models that were meant, and are mistakes in them named with their place?
#include "io/config/models.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "io/config/sheet.hpp"

namespace stemma {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class ExpandModels : public testing::Test {
 protected:
  void SetUp() override {
    root_ = fs::temp_directory_path() / ("stemma_models_" + std::to_string(getpid()));
    fs::remove_all(root_);
    for (const char* name : {"b", "a10", "a9", "other/a9", ".hidden"}) fs::create_directories(root_ / name);
    std::ofstream(root_ / "file.gguf") << "x";
  }
  void TearDown() override { fs::remove_all(root_); }

  void sheet(const std::string& text) { std::ofstream(root_ / "models.tsv", std::ios::binary) << text; }

  /// Expands the models of a configuration that lies in root_.
  void expand(const std::string& models) {
    notes_.clear();
    problems_.clear();
    sources_.clear();
    try {
      const RunConfig config =
          parse_run_config("schema_version: 1\nmodels:\n" + models, (root_ / "c.yaml").string(), {}, notes_);
      sources_ = expand_models(config, notes_);
    } catch (const ConfigProblems& error) {
      for (const Problem& problem : error.problems()) problems_.push_back(without_root(sentence(problem)));
    }
    for (std::string& note : notes_) note = without_root(note);
  }

  std::string without_root(std::string text) const {
    std::error_code error;
    for (const std::string& prefix : {root_.string() + "/", fs::proximate(root_, error).string() + "/"}) {
      for (std::size_t at = text.find(prefix); at != std::string::npos; at = text.find(prefix, at)) {
        text.erase(at, prefix.size());
      }
    }
    return text;
  }

  std::vector<std::string> ids() const {
    std::vector<std::string> all;
    for (const ModelSource& source : sources_) all.push_back(source.id);
    return all;
  }

  fs::path root_;
  std::vector<std::string> notes_;
  std::vector<std::string> problems_;
  std::vector<ModelSource> sources_;
};

TEST_F(ExpandModels, PathsKeepTheirOrderAndTraits) {
  expand("  - b\n  - {path: a9/, id: nine, label: Nine, base: b, relation: merge, use: reference}\n");
  EXPECT_THAT(ids(), ElementsAre("b", "nine"));
  EXPECT_EQ(sources_[0].path, (root_ / "b").string());
  EXPECT_EQ(without_root(sources_[0].place), "c.yaml:3:5");
  EXPECT_EQ(sources_[1].label, "Nine");
  EXPECT_THAT(sources_[1].base, ElementsAre("b"));
  EXPECT_EQ(sources_[1].relation, "merge");
  EXPECT_EQ(sources_[1].use, ModelUse::reference);
  EXPECT_THAT(notes_, IsEmpty());
}

TEST_F(ExpandModels, GlobsAreSortedBytewiseAndSkipHiddenNames) {
  expand("  - {glob: \"*/\", use: background}\n");
  EXPECT_THAT(ids(), ElementsAre("a10", "a9", "b", "other"));
  EXPECT_EQ(sources_[3].use, ModelUse::background);
  expand("  - {glob: \"a?\"}\n  - {glob: \"*.gguf\"}\n");
  EXPECT_THAT(ids(), ElementsAre("a9", "file.gguf"));
  expand("  - {glob: \"[ab]*\"}\n");
  EXPECT_THAT(ids(), ElementsAre("a10", "a9", "b"));
  expand("  - {glob: \"z*/\"}\n");
  EXPECT_THAT(problems_, ElementsAre("c.yaml:3:5: models names nothing: the glob z*/ matches no directory"));
}

TEST_F(ExpandModels, CollidingDefaultIdsAreNumberedExplicitOnesAreNot) {
  expand("  - a9\n  - other/a9\n  - {path: b, id: a9-2}\n");
  EXPECT_THAT(ids(), ElementsAre("a9", "a9-3", "a9-2"));
  EXPECT_THAT(notes_, ElementsAre("c.yaml:4:5: other/a9 is named a9-3, because c.yaml:3:5 already names a9"));
  expand("  - {path: b, id: x}\n  - {path: a9, id: x}\n");
  EXPECT_THAT(
      problems_,
      ElementsAre("c.yaml:4:5: id x is used by c.yaml:3:5 and c.yaml:4:5. Give one of them another id"));
}

TEST_F(ExpandModels, NamesThatAreNoIdsAreMadeIds) {
  fs::create_directories(root_ / "my model é");
  fs::create_directories(root_ / "_x");
  expand("  - \"my model é\"\n  - _x\n");
  EXPECT_THAT(ids(), ElementsAre("my-model---", "x"));
}

TEST_F(ExpandModels, AllMissingPathsAreShown) {
  expand("  - gone\n  - b\n  - {sheet: gone.tsv}\n");
  EXPECT_THAT(problems_, ElementsAre("c.yaml:3:5: the model gone does not exist",
                                     "c.yaml:5:5: the sheet gone.tsv does not exist"));
}

TEST_F(ExpandModels, AbsentBasesAreNotesAndOwnBasesAreProblems) {
  expand("  - {path: b, base: [gone, a9]}\n  - a9\n");
  EXPECT_THAT(
      notes_,
      ElementsAre("c.yaml:3:5: base gone is not among the models; the claim stays untestable. Add it, or "
                  "correct the id"));
  expand("  - {path: b, base: b}\n");
  EXPECT_THAT(problems_, ElementsAre("c.yaml:3:5: b declares itself as its base. Correct base"));
}

TEST_F(ExpandModels, TheSameFilesTwiceAreNoted) {
  fs::create_directory_symlink(root_ / "b", root_ / "link");
  expand("  - b\n  - link\n  - {path: b, variant: fp16, id: half}\n");
  EXPECT_THAT(ids(), ElementsAre("b", "link", "half"));
  EXPECT_THAT(notes_, ElementsAre("c.yaml:4:5: b and link are the same files, link"));
}

TEST_F(ExpandModels, SheetsAreReadWithCrLfAndByteOrderMark) {
  sheet(
      "\xEF\xBB\xBFid\tpath\tbase\tuse\tlabel\tlicense\r\nbee\tb\tnine, a10\treference\tThe "
      "Bee\tmit\r\n\r\n\ta9\r\nnine\tother/a9\t\t\t\t\r\n");
  expand("  - a10\n  - {sheet: models.tsv, family: birds}\n");
  ASSERT_THAT(problems_, IsEmpty());
  EXPECT_THAT(ids(), ElementsAre("a10", "bee", "a9", "nine"));
  EXPECT_THAT(sources_[1].base, ElementsAre("nine", "a10"));
  EXPECT_EQ(sources_[1].use, ModelUse::reference);
  EXPECT_EQ(sources_[1].label, "The Bee");
  EXPECT_EQ(sources_[1].family, "birds");
  EXPECT_EQ(sources_[1].further.at("license"), "mit");
  EXPECT_EQ(sources_[1].path, (root_ / "b").string());
  EXPECT_EQ(without_root(sources_[1].place), "models.tsv:2");
  EXPECT_EQ(without_root(sources_[2].place), "models.tsv:4");
  EXPECT_EQ(sources_[2].use, ModelUse::subject);
  EXPECT_TRUE(sources_[2].further.empty());
}

TEST_F(ExpandModels, ErrorsInSheetsNameTheirLine) {
  sheet(
      "id\tpath\tuse\tadapter_on\na/"
      "b\tb\t\t\nx\tb\tsubjct\t\ny\t\t\t\nz\tgone\t\t\nw\tb\t\tbase\nv\tb\t\t\t\t\nu\thf:a/b\n");
  expand("  - sheet: models.tsv\n");
  EXPECT_THAT(problems_, testing::UnorderedElementsAre(
                             HasSubstr("models.tsv:2: id a/b is not an id"),
                             "models.tsv:3: use = subjct: write one of subject, reference, background",
                             "models.tsv:4: this row of 4 cells has no path. Cells are separated by tabs",
                             "models.tsv:5: the model gone does not exist",
                             HasSubstr("models.tsv:6: the base base of the adapter"),
                             "models.tsv:7: this row has 6 cells, the header names 4 columns. Remove what is "
                             "too much, or name it",
                             HasSubstr("models.tsv:8: hf:a/b is not in the cache")));
}

TEST_F(ExpandModels, IdsOfTwoRowsAreNamedWithBothLines) {
  sheet("id\tpath\nacme\tb\nacme\ta9\n");
  expand("  - sheet: models.tsv\n");
  EXPECT_THAT(
      problems_,
      ElementsAre(
          "models.tsv:3: id acme is used by models.tsv:2 and models.tsv:3. Give one of them another id"));
}

std::vector<std::string> sheet_problems(const std::string& text, const SheetLimits& limits = {}) {
  Complaints complaints("s.tsv");
  (void)parse_sheet(text, complaints, limits);
  std::vector<std::string> all;
  for (const Problem& problem : complaints.problems()) all.push_back(sentence(problem));
  all.insert(all.end(), complaints.notes().begin(), complaints.notes().end());
  return all;
}

TEST(Sheet, HeadersAreChecked) {
  EXPECT_THAT(
      sheet_problems("id,path\na,b\n"),
      ElementsAre(
          "s.tsv:1: the header is separated by commas; a sheet is separated by tabs. Save it as TSV"));
  EXPECT_THAT(sheet_problems("id\tname\n"), ElementsAre(HasSubstr("s.tsv:1: the header has no column path")));
  EXPECT_THAT(sheet_problems("path\tid\tid\n"), ElementsAre("s.tsv:1: the header names id twice"));
  EXPECT_THAT(sheet_problems("path\t\tid\n"), ElementsAre("s.tsv:1: column 2 of the header has no name"));
  EXPECT_THAT(sheet_problems("path\tlable\n"),
              ElementsAre("s.tsv:1: column lable has no meaning and is kept as text. Did you mean label?"));
  EXPECT_THAT(sheet_problems("path\tpublished\n"), IsEmpty());
  EXPECT_THAT(sheet_problems(""), ElementsAre(HasSubstr("s.tsv: the sheet is empty")));
}

TEST(Sheet, HoldsItsLimits) {
  EXPECT_THAT(sheet_problems("path\na\nb\nc\n", {.rows = 2}),
              ElementsAre("s.tsv:4: the sheet has more than 2 rows; that is the limit"));
  EXPECT_THAT(sheet_problems("path\n" + std::string(11, 'x') + "\n", {.cell_bytes = 10}),
              ElementsAre("s.tsv:2: path has 11 bytes; a cell has at most 10"));
  EXPECT_THAT(sheet_problems("path\nx\n\xFF\n"), ElementsAre(HasSubstr("s.tsv:3: byte 0xff is not text")));
}

}  // namespace
}  // namespace stemma
