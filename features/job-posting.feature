Feature: Posting a job
  A user posts a job to their own node. It is checked as a whole, it is on disk when the answer comes,
  and what was not accepted leaves nothing behind.

  Background:
    Given the nodes:
      | node  | provides |
      | alice | no       |

  Scenario: A job is accepted without a body, and its Location names it
    When this JSON is posted to "alice":
      """
      { "name": "hello", "engine": { "type": "wasm", "params": { "module": { "base64": "AGFzbQEAAAA=" } } } }
      """
    Then the answer is 202 with an empty body
    And its Location is that of a job called "hello"

  Scenario: A job may be written in YAML
    When this YAML is posted to "alice":
      """
      name: nightly report
      engine: { type: python, params: { script: { text: "print('hello')" } } }
      resources: { cpu: 250m, memory: 64MiB }
      timeouts: { execution: 30s }
      """
    Then the answer is 202 with an empty body
    And its Location is that of a job called "nightly report"

  Scenario: An unknown key is named where it stands
    When this YAML is posted to "alice":
      """
      engine: { type: wasm, params: { module: { base64: AGFzbQEAAAA= } } }
      resources: { cpus: 2 }
      """
    Then the answer is 400 INVALID_JOB
    And the answer names these fields:
      | path           | code        |
      | resources.cpus | unknown_key |
    And "alice" has 0 jobs

  Scenario: Everything that is wrong is said at once
    When this YAML is posted to "alice":
      """
      name: "bad/name"
      count: 0
      colour: green
      engine: { type: wasm, params: { module: { base64: AGFzbQEAAAA= }, stdout: 1 } }
      resources: { memory: a lot }
      constraints: { hard: [{ key: cpu.flavour, operator: Exists }] }
      """
    Then the answer is 400 INVALID_JOB
    And the answer names these fields:
      | path                   | code           |
      | colour                 | unknown_key    |
      | constraints.hard.0.key | invalid_format |
      | count                  | too_small      |
      | engine.params.stdout   | unknown_key    |
      | name                   | invalid_format |
      | resources.memory       | custom         |
    And "alice" has 0 jobs

  Scenario: What no provider could ever meet is refused at once
    When this YAML is posted to "alice":
      """
      engine: { type: wasm, params: { module: { base64: AGFzbQEAAAA= } } }
      constraints:
        hard:
          - { key: location.country, operator: In, values: [DE] }
          - { key: location.country, operator: NotIn, values: [DE] }
      """
    Then the answer is 400 INVALID_JOB
    And the answer names these fields:
      | path               | code   |
      | constraints.hard.1 | custom |
    And "alice" has 0 jobs

  Scenario: Values that no provider can be compared with are named where they stand
    When this YAML is posted to "alice":
      """
      engine: { type: wasm, params: { module: { base64: AGFzbQEAAAA= } } }
      resources:
        gpus:
          - { driver: banana }
          - { computeCapability: ">9 <8" }
      constraints:
        hard:
          - { key: location.country, operator: Gt, values: ["5"] }
          - { key: cpu.cores, operator: In, values: [abc] }
          - { key: memory.total, operator: Gt, values: ["1e9"] }
        soft:
          - { key: runtime.python, operator: Semver, values: [">=x"] }
      """
    Then the answer is 400 INVALID_JOB
    And the answer names these fields:
      | path                               | code   |
      | constraints.hard.0.operator        | custom |
      | constraints.hard.1.values.0        | custom |
      | constraints.hard.2.values          | custom |
      | constraints.soft.0.values.0        | custom |
      | resources.gpus.0.driver            | custom |
      | resources.gpus.1.computeCapability | custom |
    And "alice" has 0 jobs

  Scenario: A job that wants its own engine not to be there is refused
    When this YAML is posted to "alice":
      """
      engine: { type: wasm, params: { module: { base64: AGFzbQEAAAA= } } }
      constraints: { hard: [{ key: engine.wasm, operator: DoesNotExist }] }
      """
    Then the answer is 400 INVALID_JOB
    And the answer names these fields:
      | path                        | code   |
      | constraints.hard.0.operator | custom |
    And "alice" has 0 jobs

  Scenario Outline: A provider is named by its peer id
    When this YAML is posted to "alice":
      """
      engine: { type: wasm, params: { module: { base64: AGFzbQEAAAA= } } }
      <list>: [12D3KooWDpJ7As7BWAwRMfu1VU2WCqNjvq387JEYKDBj4kx6nXTN, <id>]
      """
    Then the answer is 400 INVALID_JOB
    And the answer names these fields:
      | path     | code           |
      | <list>.1 | invalid_format |
    And "alice" has 0 jobs

    Examples:
      | list               | id                                                       |
      | preferredProviders | bob                                                      |
      | excludedProviders  | 12D3KooWDpJ7As7BWAwRMfu1VU2WCqNjvq387JEYKDBj4kx6nXT      |
      | excludedProviders  | did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK |

  Scenario: Constraints that are too long for a bid request are refused before anybody is asked
    When a job with 28 KiB of constraints is posted to "alice"
    Then the answer is 400 INVALID_JOB
    And the answer names these fields:
      | path             | code   |
      | constraints.hard | custom |
    And "alice" has 0 jobs

  Scenario: A post that is sent twice makes one job
    When this YAML is posted to "alice" with the idempotency key "monday":
      """
      engine: { type: wasm, params: { module: { base64: AGFzbQEAAAA= } } }
      """
    And this YAML is posted to "alice" with the idempotency key "monday":
      """
      engine: { type: wasm, params: { module: { base64: AGFzbQEAAAA= } } }
      """
    Then the answer is 202 with an empty body
    And both answers have the same Location
    And "alice" has 1 job

  Scenario: An idempotency key stands for one body only
    When this YAML is posted to "alice" with the idempotency key "monday":
      """
      engine: { type: wasm, params: { module: { base64: AGFzbQEAAAA= } } }
      """
    And this YAML is posted to "alice" with the idempotency key "monday":
      """
      name: another
      engine: { type: wasm, params: { module: { base64: AGFzbQEAAAA= } } }
      """
    Then the answer is 422 IDEMPOTENCY_CONFLICT
    And "alice" has 1 job

  Scenario: A job description has a largest size
    When a job of 5 MiB is posted to "alice"
    Then the answer is 413 BODY_TOO_LARGE
    And "alice" has 0 jobs

  Scenario: A job that was never posted is not found
    When "alice" is asked for "/orchestrator/jobs/01890000000070008000000000000000"
    Then the answer is 404 JOB_NOT_FOUND
