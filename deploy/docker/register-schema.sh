#!/bin/sh
# Registers an Avro schema under a subject, through Confluent's API. Waits until the registry answers.
#   register-schema.sh REGISTRY_URL SUBJECT SCHEMA_FILE
# Needs only sh, sed, tr and curl. Registering the same schema again returns the same id.
set -eu

url=$1 subject=$2 file=$3

# The API takes the schema as a JSON string. Line breaks between tokens become spaces; JSON has none inside strings.
schema=$(tr '\n\r\t' '   ' <"$file" | sed 's/\\/\\\\/g; s/"/\\"/g')

printf '{"schema":"%s"}' "$schema" |
  curl --silent --show-error --fail-with-body --retry 120 --retry-delay 1 --retry-connrefused --retry-max-time 120 \
    --header 'Content-Type: application/vnd.schemaregistry.v1+json' --data-binary @- \
    "$url/subjects/$subject/versions"
echo
