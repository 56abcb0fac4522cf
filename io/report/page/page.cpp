// How do all parts become one page that needs nothing else?
#include <fmt/format.h>
#include <openssl/sha.h>

#include <array>

#include "io/report/page/assets.hpp"
#include "io/report/page/colour.hpp"
#include "io/report/page/dossier.hpp"
#include "io/report/page/sections.hpp"

namespace stemma {
namespace {

/// The page may use this style and this script, and pictures within itself; whatever else a browser could be
/// talked into, it refuses.
std::string hash_of(std::string_view content) {
  std::array<std::uint8_t, SHA256_DIGEST_LENGTH> digest{};
  SHA256(reinterpret_cast<const unsigned char*>(content.data()), content.size(), digest.data());
  return fmt::format("'sha256-{}'", base64(digest));
}

void write_head(Markup& page, const PageContent& content) {
  page.open("head");
  page.leaf("meta", {{"charset", "utf-8"}});
  page.leaf("meta",
            {{"http-equiv", "Content-Security-Policy"},
             {"content",
              fmt::format("default-src 'none'; img-src data:; style-src {}; script-src {}; base-uri 'none'; "
                          "form-action 'none'",
                          hash_of(page_style()), hash_of(page_script()))}});
  page.leaf("meta", {{"name", "viewport"}, {"content", "width=device-width, initial-scale=1"}});
  page.leaf("meta", {{"name", "color-scheme"}, {"content", "light dark"}});
  page.leaf("meta", {{"name", "generator"}, {"content", "Stemma " + content.version}});
  page.element("title", shortened(content.title, 160));
  page.open("style").raw(page_style()).close("style");
  page.close("head");
}

void write_navigation(Markup& page) {
  page.open("nav", {{"aria-label", "Sections"}}).open("ul");
  constexpr std::array<std::pair<const char*, const char*>, 9> places = {{{"models", "Models"},
                                                                          {"heatmap", "All pairs"},
                                                                          {"pairs", "One pair"},
                                                                          {"tree", "Tree"},
                                                                          {"curves", "Curves"},
                                                                          {"nulls", "Nulls"},
                                                                          {"methods", "Methods"},
                                                                          {"findings", "Findings"},
                                                                          {"provenance", "Provenance"}}};
  for (const auto& [id, words] : places)
    page.open("li").element("a", {{"href", fmt::format("#{}", id)}}, words).close("li");
  page.close("ul");
  page.element("button", {{"type", "button"}, {"id", "theme"}, {"data-needs-script", ""}}, "Dark or light");
  page.close("nav");
}

}  // namespace

void write_pairs(Markup& page, const PageContent& content) {
  open_section(page, "pairs", "One pair",
               "Everything that is known of two models. Choose them here, in the heatmap, or in a table.");
  page.open("div", {{"class", "tools"}, {"data-needs-script", ""}});
  for (const char* side : {"A", "B"}) {
    page.open("label").text(fmt::format("Model {} ", side));
    page.leaf("input", {{"type", "search"},
                        {"class", "choose"},
                        {"id", fmt::format("choose-{}", side == std::string_view("A") ? 'a' : 'b')},
                        {"list", "ids"},
                        {"autocomplete", "off"}});
    page.close("label");
  }
  page.open("datalist", {{"id", "ids"}}).close("datalist");
  page.close("div");
  page.open("div", {{"id", "pair"}, {"aria-live", "polite"}}).close("div");
  if (content.dossiers_possible == 0) page.element("p", "No pair of this archive is related or declared.");
  for (const Dossier& dossier : content.dossiers) write_dossier(page, content, dossier);
  if (content.dossiers.size() < content.dossiers_possible)
    page.element(
        "p", {{"class", "note"}},
        fmt::format("{} of {} related or declared pairs are told in full here{}; stemma report --pair "
                    "A B makes such a page of any pair.",
                    grouped(content.dossiers.size()), grouped(content.dossiers_possible),
                    content.dossiers_thinned ? ", " + size_words(content) : ""));
  write_table_name(page, "pairs.tsv, evidence.tsv");
  page.close("section");
}

std::string page_of(const PageContent& content) {
  const Families families = families_of(content);
  Markup page;
  page.open("html", {{"lang", "en"}, {"data-theme", content.theme}});
  write_head(page, content);
  page.open("body");
  page.element("a", {{"class", "skip"}, {"href", "#main"}}, "Skip to the verdicts");
  write_navigation(page);
  page.open("main", {{"id", "main"}});
  write_first_screen(page, content);
  write_how_to_read(page, content);
  write_heatmap(page, content, families);
  write_pairs(page, content);
  write_tree(page, content);
  write_curves(page, content, families);
  write_nulls(page, content);
  write_methods(page, content);
  write_findings(page, content);
  write_failures(page, content);
  write_provenance(page, content);
  page.close("main");
  page.open("div", {{"id", "corner"}, {"role", "status"}, {"hidden", ""}}).close("div");
  page.open("script", {{"type", "application/json"}, {"id", "data"}})
      .raw(json_for_script(page_data(content)))
      .close("script");
  page.open("script").raw(page_script()).close("script");
  page.close("body").close("html");
  return "<!DOCTYPE html>\n" + page.str() + "\n";
}

}  // namespace stemma
