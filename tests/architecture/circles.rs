//! Which file of a module needs which, and that none needs itself over others.

use std::collections::{BTreeMap, BTreeSet};

use syn::{Item, UseTree, visit::Visit};

use crate::sources::{Source, sources};

/// The path of a module below the crate, such as `cache::entry`.
type Module = Vec<String>;

/// The modules, what each of them imports, and under which names it gives out what is another's.
struct House {
    modules: BTreeSet<Module>,
    paths: BTreeMap<Module, BTreeSet<Module>>,
    exports: BTreeMap<(Module, String), Module>,
}

#[test]
fn no_file_needs_itself_over_others() {
    let sources = sources();
    let house = House::new(&sources);
    let needs: BTreeMap<_, _> =
        house.modules.iter().map(|module| (module.clone(), house.needs(module))).collect();
    assert!(needs.values().map(BTreeSet::len).sum::<usize>() > 300, "these are not all imports");
    let circles: Vec<String> =
        house.modules.iter().filter_map(|module| circle(module, &needs)).collect();
    assert!(circles.is_empty(), "\n{}", circles.join("\n"));
}

/// A `mod.rs` has documentation, declarations and re-exports; what is defined is in a file of its name.
#[test]
fn a_mod_file_defines_nothing() {
    for source in sources().iter().filter(|source| source.path.ends_with("mod.rs")) {
        for item in syn::parse_file(&source.text).unwrap().items {
            let is_declaration = matches!(item, Item::Mod(_) | Item::Use(_));
            assert!(is_declaration, "{} defines something", source.path.display());
        }
    }
}

/// Returns the shortest way from a module back to it, within its room.
fn circle(module: &Module, needs: &BTreeMap<Module, BTreeSet<Module>>) -> Option<String> {
    let mut ways = vec![vec![module.clone()]];
    let mut seen = BTreeSet::new();
    while let Some(way) = (!ways.is_empty()).then(|| ways.remove(0)) {
        for next in needs.get(way.last()?)? {
            if next == module {
                let names: Vec<_> = way.iter().chain([next]).map(|path| path.join("::")).collect();
                return Some(names.join(" -> "));
            }
            if next.first() == module.first() && seen.insert(next.clone()) {
                ways.push(way.iter().chain([next]).cloned().collect());
            }
        }
    }
    None
}

impl House {
    fn new(sources: &[Source]) -> Self {
        let modules = sources.iter().map(|source| source.module.clone()).collect();
        let mut house = Self { modules, paths: BTreeMap::new(), exports: BTreeMap::new() };
        for source in sources {
            let mut reader = Reader { house: &mut house, module: &source.module, is_top: true };
            reader.visit_file(&syn::parse_file(&source.text).unwrap());
        }
        house
    }

    /// Returns the modules that define what a module names.
    fn needs(&self, module: &Module) -> BTreeSet<Module> {
        let paths = self.paths.get(module).into_iter().flatten();
        let homes = paths.map(|path| self.home(path.clone()));
        homes.filter(|home| home != module && !home.is_empty()).collect()
    }

    /// Returns the module in which an item is defined, whoever gives it out.
    fn home(&self, path: Module) -> Module {
        let len = (0..=path.len()).rev().find(|&len| self.modules.contains(&path[..len])).unwrap();
        let Some(name) = path.get(len) else { return path };
        match self.exports.get(&(path[..len].to_vec(), name.clone())) {
            Some(export) if *export != path => {
                self.home(export.iter().chain(&path[len + 1..]).cloned().collect())
            }
            _ => path[..len].to_vec(),
        }
    }
}

/// Reads the paths of a file.
struct Reader<'a> {
    house: &'a mut House,
    module: &'a Module,
    is_top: bool,
}

impl Reader<'_> {
    /// Returns the path from the crate's root; `None` of another crate's.
    fn absolute(&self, path: &[String]) -> Option<Module> {
        let mut base = self.module.clone();
        let mut rest = path;
        match rest.first()?.as_str() {
            "crate" => (base, rest) = (Module::new(), &rest[1..]),
            "self" => rest = &rest[1..],
            "super" => {
                while rest.first().is_some_and(|first| first == "super") {
                    base.pop();
                    rest = &rest[1..];
                }
            }
            first => {
                base.push(first.to_owned());
                if !self.house.modules.contains(&base) {
                    return None;
                }
                rest = &rest[1..];
            }
        }
        base.extend_from_slice(rest);
        Some(base)
    }

    fn add(&mut self, path: &[String]) {
        if let Some(path) = self.absolute(path) {
            self.house.paths.entry(self.module.clone()).or_default().insert(path);
        }
    }

    fn add_tree(&mut self, tree: &UseTree, before: &[String], is_export: bool) {
        let with = |name: &syn::Ident| [before, &[name.to_string()]].concat();
        match tree {
            UseTree::Path(path) => self.add_tree(&path.tree, &with(&path.ident), is_export),
            UseTree::Group(group) => {
                group.items.iter().for_each(|tree| self.add_tree(tree, before, is_export));
            }
            UseTree::Name(name) if name.ident == "self" => self.add_name(before, is_export),
            UseTree::Name(name) => self.add_name(&with(&name.ident), is_export),
            UseTree::Rename(name) => self.add_name(&with(&name.ident), is_export),
            UseTree::Glob(_) => self.add(before),
        }
    }

    /// What a `mod.rs` gives out is not what it needs.
    fn add_name(&mut self, path: &[String], is_export: bool) {
        if is_export && let (Some(home), Some(name)) = (self.absolute(path), path.last()) {
            self.house.exports.insert((self.module.clone(), name.clone()), home);
        } else {
            self.add(path);
        }
    }
}

impl<'ast> Visit<'ast> for Reader<'_> {
    fn visit_item_mod(&mut self, module: &'ast syn::ItemMod) {
        // Unit tests beside the code may name what they like.
        if module.content.is_none() {
            syn::visit::visit_item_mod(self, module);
        }
    }

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        let is_export = self.is_top && !matches!(item.vis, syn::Visibility::Inherited);
        self.add_tree(&item.tree, &[], is_export);
    }

    fn visit_visibility(&mut self, _: &'ast syn::Visibility) {}

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let names: Vec<String> = path.segments.iter().map(|name| name.ident.to_string()).collect();
        if matches!(names.first().map(String::as_str), Some("crate" | "super" | "self"))
            && names.len() > 1
        {
            self.add(&names);
        }
        syn::visit::visit_path(self, path);
    }
}
