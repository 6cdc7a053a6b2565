//! `#[derive(Model)]`: a typed struct that *is* the schema of a resource type, a data source or a nested block.
//!
//! Each field is an attribute or a nested block of the same name, its doc comment the reference text:
//!
//! ```text
//! #[derive(Model, Clone, Debug, Default)]
//! pub struct Bucket {
//!     /// Name of the bucket.
//!     #[attr(optional, computed, force_new)]
//!     pub bucket: Option<String>,
//!     /// Rules, in order.
//!     #[block(list, min = 1, max = 1000)]
//!     pub rule: Vec<Rule>,
//! }
//! ```
//!
//! `#[attr(...)]` takes the flags `required optional computed sensitive deprecated force_new json write_only`, `set` (a
//! `Vec` that is a set), `name = "type"` (where the name is no Rust identifier), `default = EXPR` (anything that converts
//! to a `Value`) and `same = PATH` (a `fn(&Value, &Value) -> bool`). `#[block(...)]` takes one of `single list set map`,
//! and `min = N`, `max = N`, `force_new`, `computed`, `name = "..."`.

use proc_macro::TokenStream;
use quote::quote;
use syn::{Attribute, Data, DeriveInput, Expr, Field, Fields, Ident, LitStr, Meta, parse_macro_input};

/// Derives `lakeform_provider::Model` and `lakeform_provider::Field`.
#[proc_macro_derive(Model, attributes(attr, block))]
pub fn derive_model(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    expand(&input).unwrap_or_else(syn::Error::into_compile_error).into()
}

fn expand(input: &DeriveInput) -> syn::Result<proc_macro2::TokenStream> {
    let Data::Struct(data) = &input.data else {
        return Err(syn::Error::new_spanned(input, "Model describes a struct"));
    };
    let Fields::Named(fields) = &data.fields else {
        return Err(syn::Error::new_spanned(input, "Model needs named fields"));
    };
    let name = &input.ident;
    let description = docs(&input.attrs);
    let fields = fields.named.iter().map(Described::read).collect::<syn::Result<Vec<_>>>()?;
    let schema = fields.iter().map(Described::schema);
    let reads = fields.iter().map(Described::read_value);
    let writes = fields.iter().map(Described::write_value);
    Ok(quote! {
        impl ::lakeform_provider::Model for #name {
            fn block() -> ::lakeform_core::Block {
                let mut block = ::lakeform_core::Block { description: #description.into(), ..Default::default() };
                #(#schema)*
                block
            }
        }

        impl ::lakeform_provider::Field for #name {
            fn ty() -> ::lakeform_core::Type {
                <Self as ::lakeform_provider::Model>::block().ty()
            }

            fn from_value(value: &::lakeform_core::Value) -> Self {
                let _ = value; // A block may have nothing in it.
                Self { #(#reads),* }
            }

            fn into_value(self) -> ::lakeform_core::Value {
                ::lakeform_core::Value::object::<::std::sync::Arc<str>>([#(#writes),*])
            }
        }
    })
}

/// A field with what its `#[attr]` or `#[block]` says.
struct Described<'a> {
    ident: &'a Ident,
    ty: &'a syn::Type,
    name: String,
    description: String,
    nesting: Option<Ident>,
    flags: Vec<Ident>,
    set: bool,
    values: Vec<(Ident, Expr)>,
}

impl<'a> Described<'a> {
    fn read(field: &'a Field) -> syn::Result<Self> {
        let Some(ident) = field.ident.as_ref() else {
            return Err(syn::Error::new_spanned(field, "Model needs named fields"));
        };
        let mut out = Self {
            ident,
            ty: &field.ty,
            name: ident.to_string().trim_start_matches("r#").to_owned(),
            description: docs(&field.attrs),
            nesting: None,
            flags: vec![],
            set: false,
            values: vec![],
        };
        let found = field.attrs.iter().find(|a| a.path().is_ident("attr") || a.path().is_ident("block"));
        let Some(found) = found else {
            return Err(syn::Error::new_spanned(field, "a field is an #[attr(...)] or a #[block(...)]"));
        };
        let is_block = found.path().is_ident("block");
        found.parse_nested_meta(|meta| {
            let Some(word) = meta.path.get_ident().cloned() else {
                return Err(meta.error("one word is expected"));
            };
            match (is_block, word.to_string().as_str()) {
                (_, "name") => out.name = meta.value()?.parse::<LitStr>()?.value(),
                (true, "single" | "list" | "set" | "map") => {
                    let mut letters = word.to_string();
                    letters[..1].make_ascii_uppercase();
                    out.nesting = Some(Ident::new(&letters, word.span()));
                }
                (true, "min" | "max") | (false, "default" | "same") => out.values.push((word, meta.value()?.parse()?)),
                (true, "force_new" | "computed")
                | (false, "required" | "optional" | "computed" | "sensitive" | "deprecated" | "force_new" | "json")
                | (false, "write_only") => out.flags.push(word),
                (false, "set") => out.set = true,
                _ => return Err(meta.error("unknown word")),
            }
            Ok(())
        })?;
        if is_block && out.nesting.is_none() {
            return Err(syn::Error::new_spanned(found, "say how it nests: single, list, set or map"));
        }
        Ok(out)
    }

    fn schema(&self) -> proc_macro2::TokenStream {
        let Self { ty, name, description, flags, .. } = self;
        if let Some(nesting) = &self.nesting {
            let sets = self.values.iter().map(|(word, value)| quote! { nested.#word = #value; });
            return quote! {{
                let mut nested = ::lakeform_core::NestedBlock {
                    nesting: ::lakeform_core::Nesting::#nesting,
                    min: 0,
                    max: 0,
                    force_new: false,
                    computed: false,
                    block: <#ty as ::lakeform_provider::BlockField>::block(),
                };
                nested.block.description = #description.into();
                #(#sets)*
                #(nested.#flags = true;)*
                block.blocks.insert(#name.into(), nested);
            }};
        }
        let sets = self.values.iter().map(|(word, value)| match word.to_string().as_str() {
            "default" => quote! { attribute.default = Some((#value).into()); },
            _ => quote! { attribute.#word = Some(#value); },
        });
        let wrap = self.set.then(|| quote! { attribute.ty = ::lakeform_provider::list_to_set_type(attribute.ty); });
        quote! {{
            let mut attribute = ::lakeform_core::Attribute::new(<#ty as ::lakeform_provider::Field>::ty());
            attribute.description = #description.into();
            #wrap
            #(attribute.#flags = true;)*
            #(#sets)*
            block.attributes.insert(#name.into(), attribute);
        }}
    }

    fn read_value(&self) -> proc_macro2::TokenStream {
        let Self { ident, name, .. } = self;
        quote! { #ident: ::lakeform_provider::read_field(value, #name) }
    }

    fn write_value(&self) -> proc_macro2::TokenStream {
        let Self { ident, name, ty, .. } = self;
        let value = match self.nesting.as_ref().map(Ident::to_string).as_deref() {
            Some("Set") => {
                quote! { ::lakeform_provider::list_to_set(::lakeform_provider::Field::into_value(self.#ident)) }
            }
            Some("Single" | "Map" | "List") => quote! { ::lakeform_provider::Field::into_value(self.#ident) },
            _ if self.set => {
                quote! { ::lakeform_provider::list_to_set(::lakeform_provider::Field::into_value(self.#ident)) }
            }
            _ => quote! { <#ty as ::lakeform_provider::Field>::into_value(self.#ident) },
        };
        quote! { (::std::sync::Arc::<str>::from(#name), #value) }
    }
}

/// The doc comment as plain text.
fn docs(attributes: &[Attribute]) -> String {
    let lines = attributes.iter().filter_map(|a| match &a.meta {
        Meta::NameValue(pair) if a.path().is_ident("doc") => match &pair.value {
            Expr::Lit(syn::ExprLit { lit: syn::Lit::Str(text), .. }) => Some(text.value().trim().to_owned()),
            _ => None,
        },
        _ => None,
    });
    lines.collect::<Vec<_>>().join("\n").trim().to_owned()
}
