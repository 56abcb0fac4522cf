// What answers the question of the page before anybody scrolls?
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <map>

#include "io/report/page/chart.hpp"
#include "io/report/page/colour.hpp"
#include "io/report/page/relation_mark.hpp"
#include "io/report/page/sections.hpp"

namespace stemma {
namespace {

std::string count(std::size_t n, std::string_view one, std::string_view many) {
  return fmt::format("{} {}", grouped(n), n == 1 ? one : many);
}

/// One cell for each MLP, coloured by the share of neurons that agree: a picture of one pixel for each,
/// because a thousand rows of shapes would be most of a page.
void write_strip(Markup& page, const std::vector<float>& shares) {
  if (shares.empty()) return;
  const double cell = std::clamp(96.0 / static_cast<double>(shares.size()), 1.0, 12.0);
  const auto [low, high] = std::minmax_element(shares.begin(), shares.end());
  open_drawing(page, "strip", cell * static_cast<double>(shares.size()), 12, "Share of agreeing neurons",
               fmt::format("{} MLPs, from {:.2f} to {:.2f}", shares.size(), *low, *high));
  std::vector<Colour> palette;
  std::vector<std::uint8_t> pixels;
  std::string gaps;
  for (std::size_t i = 0; i < shares.size(); ++i) {
    const Colour colour = cividis(std::round(shares[i] * 100) / 100);
    const auto known = std::find(palette.begin(), palette.end(), colour);
    pixels.push_back(static_cast<std::uint8_t>(known - palette.begin()));
    if (known == palette.end()) palette.push_back(colour);
    if (i > 0) gaps += fmt::format("M{} 0v12", coordinate(cell * static_cast<double>(i)));
  }
  page.leaf("image", {{"class", "cells"},
                      {"width", cell * static_cast<double>(shares.size())},
                      {"height", 12},
                      {"preserveAspectRatio", "none"},
                      {"href", png_url(pixels, static_cast<std::uint32_t>(pixels.size()), 1, palette)}});
  if (cell > 4) page.leaf("path", {{"class", "gaps"}, {"d", gaps}});
  page.close("svg");
}

void write_declared(Markup& page, const PageModel& model) {
  if (model.declared.size() == 1) {
    page.named("td", model.declared.front().base, 40);
    return;
  }
  page.open("td");
  bool first = true;
  for (const Claim& claim : model.declared) {
    if (!first) page.text(", ");
    page.name(claim.base, 40);
    first = false;
  }
  page.close("td");
}

void write_relative(Markup& page, const PageContent& content, const PageModel& model) {
  if (!model.relative) {
    page.element("td", "");
    return;
  }
  const std::string& id = content.models[*model.relative].id;
  if (model.direction == 0) {
    page.named("td", id, 40);
    return;
  }
  // What matched neurons say about the order may be true of a relative in its place.
  const bool copy = model.relation <= Relation::reencoded_copy;
  const std::string_view order = model.direction > 0 ? "earlier" : "later";
  page.open("td").name(id, 40);
  page.text(copy ? fmt::format(" (the {} one)", order) : fmt::format(" ({}, or one like it)", order));
  page.close("td");
}

void write_agreement(Markup& page, const PageContent& content, const PageModel& model) {
  // Of a model without a relative the row's pair is only the first to look at.
  const bool known = model.relative && model.pair && std::isfinite(content.pairs[*model.pair].share);
  const double share = known ? content.pairs[*model.pair].share : missing;
  page.open("td", {{"data-sort", known ? fmt::format("{:.4f}", share) : ""}});
  if (known) page.text(fmt::format("{:.2f} ", share));
  if (known) write_strip(page, model.layer_shares);
  page.close("td");
}

void write_level(Markup& page, const PageContent& content, const PageModel& model) {
  const double level = model.pair ? content.pairs[*model.pair].log10_p : missing;
  if (!std::isfinite(level) || model.relation > Relation::shared_init) {
    page.open("td", {{"class", "number"}, {"data-sort", ""}}).close("td");
    return;
  }
  page.element("td", {{"class", "number"}, {"data-sort", fmt::format("{:.4f}", level)}},
               fmt::format("{:.1f}{}{}", level, model.grade.empty() ? "" : " ", model.grade));
}

std::string_view words_of_declaration(std::string_view declaration) {
  static const std::map<std::string_view, std::string_view> words = {{"supported", "supported"},
                                                                     {"not_supported", "not supported"},
                                                                     {"other_found", "other found"},
                                                                     {"undeclared", "undeclared"},
                                                                     {"untestable", "untestable"}};
  const auto found = words.find(declaration);
  return found == words.end() ? declaration : found->second;
}

void write_row(Markup& page, const PageContent& content, const PageModel& model, std::size_t index) {
  page.open("tr", {{"data-model", index}, {"data-relation", name_of(model.relation)}});
  page.open("th", {{"scope", "row"}});
  if (model.pair) {
    const PagePair& pair = content.pairs[*model.pair];
    page.named("a", {{"href", fmt::format("#a={}&b={}", pair.a, pair.b)}, {"class", "pair-link"}}, model.id,
               48);
  } else {
    page.name(model.id, 48);
  }
  if (!model.label.empty()) page.named("span", {{"class", "label"}}, model.label, 70);
  page.close("th");
  write_declared(page, model);
  page.open("td", {{"data-sort", fmt::format("{}", static_cast<int>(model.relation))}});
  write_relation(page, model.relation, model.reason);
  page.close("td");
  write_relative(page, content, model);
  write_level(page, content, model);
  write_agreement(page, content, model);
  page.open("td", {{"class", "declaration d-" + (model.declaration.empty() ? "none" : model.declaration)},
                   {"title", shortened(model.declaration_reason, 300)}});
  page.text(words_of_declaration(model.declaration));
  page.close("td").close("tr");
}

void write_table_of_models(Markup& page, const PageContent& content) {
  page.open("div", {{"class", "tools"}, {"data-needs-script", ""}});
  page.open("label").text("Filter ");
  page.leaf(
      "input",
      {{"type", "search"}, {"id", "filter"}, {"autocomplete", "off"}, {"placeholder", "id, label, parent"}});
  page.close("label");
  page.open("label").text("Class ").open("select", {{"id", "filter-relation"}});
  page.element("option", {{"value", ""}}, "all");
  std::array<bool, 9> seen{};
  for (const PageModel& model : content.models) seen.at(static_cast<std::size_t>(model.relation)) = true;
  for (std::size_t r = 0; r < seen.size(); ++r)
    if (seen[r]) page.element("option", name_of(static_cast<Relation>(r)));
  page.close("select").close("label");
  page.element("span", {{"id", "filter-count"}, {"role", "status"}}, "");
  page.close("div");
  page.open(
      "div",
      {{"class", "scroll"}, {"tabindex", 0}, {"role", "region"}, {"aria-label", "Verdicts on all models"}});
  page.open("table", {{"id", "verdicts"}, {"class", "sortable"}});
  page.element("caption",
               "Declared and found, one row for each model. A row opens the pair that decided it, or the "
               "first to look at.");
  page.open("thead").open("tr");
  for (const char* column : {"Model", "Declared", "The weights say", "Relative", "log10 p, grade",
                             "Neurons agreeing, by layer", "Declaration"})
    page.element("th", {{"scope", "col"}}, column);
  page.close("tr").close("thead").open("tbody");
  for (std::size_t m = 0; m < content.models.size(); ++m)
    if (content.models[m].use == Use::subject) write_row(page, content, content.models[m], m);
  page.close("tbody").close("table").close("div");
}

}  // namespace

std::vector<std::string> three_sentences(const PageContent& content) {
  std::map<std::string, std::size_t> declared;
  std::size_t related = 0, abstained = 0, untold = 0;
  for (const PageModel& model : content.models) {
    if (model.use != Use::subject) continue;
    if (!model.declaration.empty()) ++declared[model.declaration];
    related += joins(model.relation) ? 1U : 0U;
    abstained += model.relation == Relation::abstain ? 1U : 0U;
    untold += model.relation == Relation::no_evidence ? 1U : 0U;
  }
  std::string of_declarations;
  for (const char* name : {"supported", "not_supported", "other_found", "undeclared", "untestable"})
    if (const auto found = declared.find(name); found != declared.end())
      of_declarations += fmt::format("{}{} {}", of_declarations.empty() ? "" : ", ", found->second,
                                     words_of_declaration(name));
  std::size_t failed = 0;
  for (const PageModel& model : content.models) failed += model.status == Status::failed ? 1U : 0U;
  std::string rest;
  if (untold > 0)
    rest = fmt::format("{} without evidence of a relative", count(untold, "model is", "models are"));
  if (abstained > 0)
    rest +=
        fmt::format("{}{} undecided", rest.empty() ? "" : ", ", count(abstained, "model is", "models are"));
  if (rest.empty()) rest = "No model is undecided";
  const std::string undone =
      failed == 0 && content.failures.empty()
          ? "nothing failed"
          : fmt::format("{} and {} could not be done", count(failed, "model", "models"),
                        count(content.failures.size(), "item", "items"));
  return {fmt::format("{} and {} were compared; {} related to another one.",
                      count(content.models.size(), "model", "models"),
                      count(content.pairs.size(), "pair", "pairs"), count(related, "model is", "models are")),
          !content.claims_checked   ? "What models declare was not held against the weights."
          : of_declarations.empty() ? "No model declares a parent, and nothing undeclared was found."
                                    : fmt::format("Declarations: {}.", of_declarations),
          fmt::format("{}; {}.", rest, undone)};
}

void write_first_screen(Markup& page, const PageContent& content) {
  page.open("header", {{"class", "top"}});
  page.element("h1", shortened(content.title, 160));
  if (!content.subtitle.empty())
    page.open("p", {{"class", "subtitle"}}).name(content.subtitle, 300).close("p");
  if (!content.description.empty())
    page.open("p", {{"class", "subtitle"}}).name(content.description, 500).close("p");
  page.open("p", {{"class", "facts"}});
  page.text(fmt::format("{}, Stemma {}, archive {} ", shortened(content.created, 40),
                        shortened(content.version, 40), shortened(content.archive_name, 60)));
  page.element("code", shortened(content.archive_hash.substr(0, 16), 16));
  if (!content.contact.empty()) page.text(", ").name(content.contact, 80);
  page.close("p");
  page.open("ul", {{"class", "answer"}});
  for (const std::string& sentence : three_sentences(content)) page.element("li", sentence);
  page.close("ul").close("header");
  page.open("section", {{"id", "models"}, {"aria-labelledby", "h-models"}});
  page.element("h2", {{"id", "h-models"}}, "Declared and found");
  write_table_of_models(page, content);
  page.close("section");
}

}  // namespace stemma
