// Prints openapi.json as TypeScript declarations, so that the page's modules are checked against it:
//   nodejs api-types.mjs openapi.json
// An object of each schema is API.NAME; API.Answers has what a GET of each address answers.

import { readFileSync } from "node:fs";

const description = JSON.parse(readFileSync(process.argv[2], "utf8"));

function nameOf(reference) {
  return reference.split("/").at(-1);
}

function typeOf(schema) {
  if (schema.$ref) return nameOf(schema.$ref);
  const choices = schema.anyOf ?? schema.oneOf;
  if (choices) return choices.map(typeOf).join(" | ");
  if (schema.enum) return schema.enum.map((value) => JSON.stringify(value)).join(" | ");
  return [schema.type].flat().map((type) => typeNamed(type, schema)).join(" | ");
}

function typeNamed(type, schema) {
  switch (type) {
    case "integer": return "number";
    case "array": return arrayOf(schema);
    case "object": return objectOf(schema);
    default: return type;
  }
}

function arrayOf({ items, minItems, maxItems }) {
  const item = typeOf(items);
  const isTuple = minItems !== undefined && minItems === maxItems && maxItems < 10;
  if (isTuple) return `[${Array(minItems).fill(item).join(", ")}]`;
  return `Array<${item}>`;
}

function objectOf({ properties, additionalProperties }) {
  if (!properties) return `Record<string, ${typeOf(additionalProperties)}>`;
  const lines = Object.entries(properties).map(([name, schema]) => `${JSON.stringify(name)}: ${typeOf(schema)};`);
  return `{ ${lines.join(" ")} }`;
}

const schemas = Object.entries(description.components.schemas);
const lines = schemas.map(([name, schema]) => `  type ${name} = ${typeOf(schema)};`);
const answers = Object.entries(description.paths).flatMap(([path, { get }]) => {
  const schema = get?.responses["200"].content["application/json"]?.schema;
  return schema?.$ref ? [`    ${JSON.stringify(path)}: ${typeOf(schema)};`] : [];
});
console.log(["declare namespace API {", ...lines, "  interface Answers {", ...answers, "  }", "}"].join("\n"));
