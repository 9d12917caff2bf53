-- The website has the pages of docs/ alone: a link to another file of the repository becomes the file's name.
function Link(link)
  local path = link.target:match("^%.%./([^#]*)")
  if not path then
    return nil
  end
  if path:find(pandoc.utils.stringify(link.content), 1, true) then
    return pandoc.Code(path)
  end
  link.content:extend({ pandoc.Str(" ("), pandoc.Code(path), pandoc.Str(")") })
  return link.content
end

-- A page's first heading is its title, also in the browser's tab, where Quarto adds the site's.
function Pandoc(doc)
  local first = doc.blocks[1]
  if first and first.t == "Header" and first.level == 1 then
    doc.meta.title = pandoc.MetaInlines(first.content)
    doc.meta.pagetitle = pandoc.utils.stringify(first.content)
    table.remove(doc.blocks, 1)
  end
  return doc
end
