//! `aws_glue_classifier`

use aws_sdk_glue::types::{
    Classifier as Found, CreateCsvClassifierRequest, CreateGrokClassifierRequest, CreateJsonClassifierRequest,
    CreateXmlClassifierRequest, CsvHeaderOption, CsvSerdeOption, UpdateCsvClassifierRequest,
    UpdateGrokClassifierRequest, UpdateJsonClassifierRequest, UpdateXmlClassifierRequest,
};
use lakeform_provider::{Change, Context, FoundBy, Model, ResourceType, Result};

use super::GONE;
use crate::{
    AwsClient, check,
    error::{Absent, During},
    propagation::settle,
    values::{built, chosen, flag, given, given_list, list, text},
};

/// A classifier: how a crawler reads files of one kind.
#[derive(Model, Clone, Debug, Default)]
pub(crate) struct Classifier {
    /// Name of the classifier.
    #[attr(optional, computed)]
    id: Option<String>,
    /// Name of the classifier.
    #[attr(required, force_new)]
    name: String,
    /// For values between delimiters. There is one kind of classifier; another kind replaces it.
    #[block(list, max = 1)]
    csv_classifier: Vec<Csv>,
    /// For lines that a grok pattern matches.
    #[block(list, max = 1)]
    grok_classifier: Vec<Grok>,
    /// For JSON.
    #[block(list, max = 1)]
    json_classifier: Vec<Json>,
    /// For XML.
    #[block(list, max = 1)]
    xml_classifier: Vec<Xml>,
}

/// Values between delimiters.
#[derive(Model, Clone, Debug, Default)]
struct Csv {
    /// Whether files with a single column count.
    #[attr(optional)]
    allow_single_column: Option<bool>,
    /// Whether there is a header: `PRESENT`, `ABSENT` or `UNKNOWN`.
    #[attr(optional)]
    contains_header: Option<String>,
    /// Whether `custom_datatypes` are in use.
    #[attr(optional)]
    custom_datatype_configured: Option<bool>,
    /// Types that columns may have: `BINARY`, `BOOLEAN`, `DATE`, `DECIMAL`, `DOUBLE`, `FLOAT`, `INT`, `LONG`, `SHORT`,
    /// `STRING`, `TIMESTAMP`.
    #[attr(optional)]
    custom_datatypes: Option<Vec<String>>,
    /// What is between two values.
    #[attr(optional)]
    delimiter: Option<String>,
    /// Whether the space around values belongs to them. Default: `true`.
    #[attr(optional, default = true)]
    disable_value_trimming: Option<bool>,
    /// Names of the columns.
    #[attr(optional)]
    header: Option<Vec<String>>,
    /// What is around a value.
    #[attr(optional)]
    quote_symbol: Option<String>,
    /// What reads them: `OpenCSVSerDe`, `LazySimpleSerDe` or `None`.
    #[attr(optional, computed)]
    serde: Option<String>,
}

/// Lines that a pattern matches.
#[derive(Model, Clone, Debug, Default)]
struct Grok {
    /// What tables are called whose data it knows.
    #[attr(required)]
    classification: String,
    /// Patterns that `grok_pattern` makes use of.
    #[attr(optional)]
    custom_patterns: Option<String>,
    /// The pattern.
    #[attr(required)]
    grok_pattern: String,
}

/// JSON.
#[derive(Model, Clone, Debug, Default)]
struct Json {
    /// Where the rows are: `$.rows[*]`
    #[attr(required)]
    json_path: String,
}

/// XML.
#[derive(Model, Clone, Debug, Default)]
struct Xml {
    /// What tables are called whose data it knows.
    #[attr(required)]
    classification: String,
    /// The element that is a row.
    #[attr(required)]
    row_tag: String,
}

const KINDS: [&str; 4] = ["csv_classifier", "grok_classifier", "json_classifier", "xml_classifier"];
const DATATYPES: &[&str] =
    &["BINARY", "BOOLEAN", "DATE", "DECIMAL", "DOUBLE", "FLOAT", "INT", "LONG", "SHORT", "STRING", "TIMESTAMP"];

/// The call with the classifier: creating and changing take the same, in types of their own.
macro_rules! with_kind {
    ($call:expr, $object:expr, $name:expr, $csv:ident, $grok:ident, $json:ident, $xml:ident) => {{
        let csv = $object.csv_classifier.first().map(|csv| {
            let datatypes = given_list(csv.custom_datatypes.as_deref());
            $csv::builder()
                .name($name)
                .set_allow_single_column(flag(csv.allow_single_column))
                .set_contains_header(chosen(&csv.contains_header))
                .set_custom_datatype_configured(datatypes.as_ref().and(flag(csv.custom_datatype_configured)))
                .set_custom_datatypes(datatypes)
                .set_delimiter(given(&csv.delimiter))
                .set_disable_value_trimming(flag(csv.disable_value_trimming))
                .set_header(given_list(csv.header.as_deref()))
                .set_quote_symbol(given(&csv.quote_symbol))
                .set_serde(chosen(&csv.serde))
                .build()
        });
        let grok = $object.grok_classifier.first().map(|grok| {
            let input = $grok::builder().name($name).classification(&grok.classification);
            input.grok_pattern(&grok.grok_pattern).set_custom_patterns(given(&grok.custom_patterns)).build()
        });
        let json = $object.json_classifier.first();
        let json = json.map(|json| $json::builder().name($name).json_path(&json.json_path).build());
        let xml = $object
            .xml_classifier
            .first()
            .map(|xml| $xml::builder().name($name).classification(&xml.classification).row_tag(&xml.row_tag).build());
        $call
            .set_csv_classifier(csv.map(built).transpose()?)
            .set_grok_classifier(grok.map(built).transpose()?)
            .set_json_classifier(json.map(built).transpose()?)
            .set_xml_classifier(xml.map(built).transpose()?)
    }};
}

impl ResourceType for Classifier {
    type Client = AwsClient;
    type Model = Self;
    const NAME: &'static str = "aws_glue_classifier";
    const IDENTITY: &'static [&'static str] = &["name"];
    const FOUND_BY: FoundBy = FoundBy::Name;

    fn plan(_client: &AwsClient, change: &mut Change<'_>) -> Result<()> {
        check::length(change, "name", 1..=255)?;
        check::exclusive(change, "", &KINDS)?;
        check::one_of(change, "csv_classifier.contains_header", CsvHeaderOption::values())?;
        check::one_of(change, "csv_classifier.custom_datatypes", DATATYPES)?;
        check::one_of(change, "csv_classifier.serde", CsvSerdeOption::values())?;
        check::length(change, "grok_classifier.custom_patterns", 0..=16_000)?;
        check::length(change, "grok_classifier.grok_pattern", 1..=2048)?;
        if !change.is_create() {
            let changed: Vec<_> = KINDS.iter().filter(|kind| change.changes(kind)).collect();
            if changed.len() > 1 {
                changed.into_iter().for_each(|kind| change.replace_for(kind));
            }
        }
        Ok(())
    }

    async fn read(cx: &Context<'_, AwsClient>, mut object: Self) -> Result<Option<Self>> {
        let Some(name) = object.id.clone() else { return Ok(None) };
        let Some(live) = find(cx, &name).await? else { return Ok(None) };
        object.name = name;
        object.take(live);
        Ok(Some(object))
    }

    async fn create(cx: &Context<'_, AwsClient>, object: &mut Self) -> Result<()> {
        let call = cx.client.glue().create_classifier();
        let call = with_kind!(
            call,
            object,
            &object.name,
            CreateCsvClassifierRequest,
            CreateGrokClassifierRequest,
            CreateJsonClassifierRequest,
            CreateXmlClassifierRequest
        );
        call.send().await.during("glue:CreateClassifier")?;
        object.id = Some(object.name.clone());
        object.fill(cx).await
    }

    async fn locate(_cx: &Context<'_, AwsClient>, mut planned: Self::Model) -> Result<Option<Self::Model>> {
        planned.id = Some(planned.name.clone());
        Ok(Some(planned))
    }

    async fn update(cx: &Context<'_, AwsClient>, prior: &Self, object: &mut Self) -> Result<()> {
        let name = prior.id.clone().unwrap_or_default();
        let call = cx.client.glue().update_classifier();
        let call = with_kind!(
            call,
            object,
            &name,
            UpdateCsvClassifierRequest,
            UpdateGrokClassifierRequest,
            UpdateJsonClassifierRequest,
            UpdateXmlClassifierRequest
        );
        settle(cx, || async { call.clone().send().await.during("glue:UpdateClassifier") }).await?;
        object.fill(cx).await
    }

    async fn delete(cx: &Context<'_, AwsClient>, object: &Self) -> Result<()> {
        let answer = cx.client.glue().delete_classifier().set_name(object.id.clone()).send().await;
        answer.during("glue:DeleteClassifier").absent_ok(GONE).map(drop)
    }

    fn import(_cx: &Context<'_, AwsClient>, id: &str) -> Result<Self> {
        Ok(Self { id: Some(id.to_owned()), name: id.to_owned(), ..Self::default() })
    }
}

/// The classifier, if it exists.
async fn find(cx: &Context<'_, AwsClient>, name: &str) -> Result<Option<Found>> {
    let answer = cx.client.glue().get_classifier().name(name).send().await;
    Ok(answer.during("glue:GetClassifier").absent_ok(GONE)?.and_then(|answer| answer.classifier))
}

impl Classifier {
    /// Asks for what the API decides, where there is such a thing.
    async fn fill(&mut self, cx: &Context<'_, AwsClient>) -> Result<()> {
        let open = |csv: &&mut Csv| csv.serde.is_none();
        let Some(csv) = self.csv_classifier.first_mut().filter(open) else { return Ok(()) };
        let live = find(cx, &self.name).await?.and_then(|live| live.csv_classifier);
        csv.serde = text(live.and_then(|csv| csv.serde).map(|serde| serde.as_str().to_owned()));
        Ok(())
    }

    /// What the API says of the classifier.
    fn take(&mut self, live: Found) {
        let stored = self.csv_classifier.pop();
        let stored = stored.as_ref();
        let csv = live.csv_classifier.map(|csv| Csv {
            allow_single_column: flag(csv.allow_single_column),
            contains_header: text(csv.contains_header.as_ref()),
            custom_datatype_configured: flag(csv.custom_datatype_configured),
            custom_datatypes: list(csv.custom_datatypes(), stored.and_then(|csv| csv.custom_datatypes.as_ref())),
            delimiter: text(csv.delimiter.as_ref()),
            disable_value_trimming: flag(csv.disable_value_trimming),
            header: list(csv.header(), stored.and_then(|csv| csv.header.as_ref())),
            quote_symbol: text(csv.quote_symbol.as_ref()),
            serde: text(csv.serde.as_ref()),
        });
        self.csv_classifier = csv.into_iter().collect();
        let grok = live.grok_classifier.map(|grok| Grok {
            classification: grok.classification,
            custom_patterns: text(grok.custom_patterns),
            grok_pattern: grok.grok_pattern,
        });
        self.grok_classifier = grok.into_iter().collect();
        self.json_classifier =
            live.json_classifier.map(|json| Json { json_path: json.json_path }).into_iter().collect();
        let xml = live
            .xml_classifier
            .map(|xml| Xml { classification: xml.classification, row_tag: xml.row_tag.unwrap_or_default() });
        self.xml_classifier = xml.into_iter().collect();
    }
}
