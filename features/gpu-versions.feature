Feature: GPUs of the right version
  What a node's own tool says of its devices is what jobs are compared with: the driver and the compute capability
  as nvidia-smi prints them, zeros before numbers included.

  Background:
    Given the nodes:
      | node  | provides | nvidia-smi prints |
      | alice | no       |                   |
      | bob   | yes      | nvidia-eight.csv  |
      | carol | yes      | nvidia-mixed.csv  |

  Scenario Outline: A job goes where driver and compute capability are in its ranges
    When "alice" posts a job:
      """
      resources: { gpus: [{ vendor: nvidia, <range> }] }
      """
    Then the job completes on "<winner>"
    And "<other>" declined with INSUFFICIENT_RESOURCES: "<reason>"

    Examples:
      | range                                             | winner | other | reason                                                     |
      | driver: ">=550"                                   | carol  | bob   | gpu.driver: >=550 asked, 535.161.08 here.                  |
      | driver: ">=535.104.05 <550"                       | bob    | carol | gpu.driver: >=535.104.05 <550 asked, 570.86.15 here.       |
      | driver: 535.161.08                                | bob    | carol | gpu.driver: 535.161.08 asked, 570.86.15 here.              |
      | computeCapability: ">=9.0"                        | bob    | carol | gpu.computeCapability: >=9.0 asked, 7.0, 8.9 here.         |
      | driver: ">=535.161.08", computeCapability: ^8.6   | carol  | bob   | gpu.computeCapability: ^8.6 asked, 9.0 here.               |

  Scenario: A job whose range nobody meets is told the nearest version
    When "alice" posts a job:
      """
      resources: { gpus: [{ driver: ">=570.86.16" }] }
      """
    Then the job fails: "No provider could take the job: 2 x INSUFFICIENT_RESOURCES (gpu.driver)."
    And the nearest miss is "gpu.driver": ">=570.86.16" asked, "570.86.15" on 1 provider

  Scenario: A version of a running node is told as the tool prints it
    Then "bob" has 8 devices of driver "535.161.08" and compute capability "9.0"
