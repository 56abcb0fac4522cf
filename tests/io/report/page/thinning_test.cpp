// Does a page lose what it is to lose first, no more than it must, and say so?
#include "io/report/page/thinning.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "io/report/page/sections.hpp"

namespace stemma {
namespace {

constexpr std::size_t models = 40, dossiers = 12;

CurveFigure figure(const char* id, std::size_t points) {
  CurveFigure figure{
      .id = id, .title = id, .caption = "", .x_axis = "x", .y_axis = "y", .file = "curves.tsv", .panels = {}};
  figure.panels.push_back({.title = "q", .lines = {}});
  for (std::uint32_t m = 0; m < models; ++m) {
    CurveLine line{.model = m, .points = {}};
    for (std::size_t i = 0; i < points; ++i)
      line.points.emplace_back(double(i), double((i * 7919 + m * 104729) % 1000));
    figure.panels[0].lines.push_back(std::move(line));
  }
  return figure;
}

/// Models 0 to 39; the pairs told in full are (39, 38), (37, 36), ..., strongest first.
PageContent content() {
  PageContent content;
  for (std::size_t m = 0; m < models; ++m) content.models.push_back({.id = fmt::format("model-{:02}", m)});
  for (std::uint32_t k = 0; k < dossiers; ++k) {
    content.pairs.push_back({.a = static_cast<std::uint32_t>(models) - 2 - 2 * k,
                             .b = static_cast<std::uint32_t>(models) - 1 - 2 * k});
    Dossier dossier{.pair = k, .found = {}, .readings = {}};
    dossier.found.sentence = std::string(1000, 's');
    for (int row = 0; row < 40; ++row)
      dossier.found.evidence.push_back(
          {.method = "content", .statistic = "equal tensors", .null = "none valid"});
    content.dossiers.push_back(std::move(dossier));
  }
  content.dossiers_possible = dossiers;
  content.curves = {figure("curves", 60), figure("spectra", 60)};
  return content;
}

std::size_t times(const std::string& page, const std::string& words) {
  std::size_t n = 0;
  for (std::size_t at = page.find(words); at != std::string::npos; at = page.find(words, at + 1)) ++n;
  return n;
}

std::size_t told(const std::string& page) { return times(page, "class=\"dossier\""); }

/// Drawn lines of one figure.
std::size_t lines(const std::string& page, const std::string& id) {
  const std::size_t begin = page.find("<section id=\"" + id + "\"");
  return times(page.substr(begin, page.find("</section>", begin) - begin), "data-m=");
}

std::string page_within(std::size_t bytes) {
  PageContent thin = content();
  thin.most_bytes = bytes;
  return fitting_page(thin);
}

TEST(Thinning, LeavesAPageThatFitsAsItIs) {
  const std::string whole = page_of(content());
  EXPECT_EQ(page_within(whole.size()), whole);
  EXPECT_EQ(told(whole), dossiers);
  EXPECT_EQ(times(whole, "report.max_size"), 0U);
}

TEST(Thinning, TakesPairsThenSpectraThenCurvesAndAsFewAsItMust) {
  const std::size_t whole = page_of(content()).size();
  PageContent without_pairs = content();
  without_pairs.dossiers.clear();
  const std::size_t bare = page_of(without_pairs).size(), of_pair = (whole - bare) / dossiers;
  without_pairs.curves.pop_back();
  const std::size_t of_spectra = bare - page_of(without_pairs).size();

  const std::string fewer_pairs = page_within(whole - 3 * of_pair + of_pair / 2);
  EXPECT_EQ(told(fewer_pairs), dossiers - 3);
  EXPECT_NE(fewer_pairs.find("pair-38-39"), std::string::npos);      // the strongest stays
  EXPECT_EQ(fewer_pairs.find("\"pair-16-17\""), std::string::npos);  // the weakest has gone
  EXPECT_EQ(lines(fewer_pairs, "spectra"), models);
  EXPECT_NE(
      fewer_pairs.find(
          "9 of 12 related or declared pairs are told in full here, so that the page takes no more than"),
      std::string::npos);

  const std::string fewer_spectra = page_within(bare - of_spectra / 2);
  EXPECT_EQ(told(fewer_spectra), 0U);
  EXPECT_GT(lines(fewer_spectra, "spectra"), models / 4);
  EXPECT_LT(lines(fewer_spectra, "spectra"), models * 3 / 4);
  EXPECT_EQ(lines(fewer_spectra, "curves"), models);
  EXPECT_NE(fewer_spectra.find("report_data/curves.tsv holds what is left out"), std::string::npos);
  EXPECT_EQ(times(fewer_spectra, "No pair of this archive is related or declared"), 0U);

  const std::string fewer_curves = page_within(bare - of_spectra - of_spectra / 2);
  EXPECT_EQ(lines(fewer_curves, "spectra"), 0U);
  EXPECT_GT(lines(fewer_curves, "curves"), models / 4);
  EXPECT_LT(lines(fewer_curves, "curves"), models * 3 / 4);
  // Of both models of the strongest pair the curve is kept, of those outside of all pairs it goes first.
  EXPECT_EQ(times(fewer_curves, "data-m=\"39\""), 1U);
  EXPECT_EQ(times(fewer_curves, "data-m=\"0\""), 0U);
}

TEST(Thinning, KeepsToTheSizeAndComesToAnEnd) {
  const std::size_t whole = page_of(content()).size();
  PageContent nothing = content();
  nothing.dossiers.clear();
  nothing.curves.clear();
  const std::size_t least = page_of(nothing).size() + 2000;
  for (std::size_t bytes = least; bytes < whole; bytes += (whole - least) / 5) {
    const std::string page = page_within(bytes);
    EXPECT_LE(page.size(), bytes);
    EXPECT_EQ(page_within(bytes), page);
  }
  EXPECT_GT(page_within(1000).size(), 1000U);  // what has no smaller form stays
  EXPECT_EQ(told(page_within(1000)), 0U);
}

}  // namespace
}  // namespace stemma
