/**
 * Clinical codes that put a resource into a section of its own (docs/specs/fhir.md#sensitive). A hierarchy is given by the
 * beginning of its codes where the system has one (ICD, ATC), code by code where it has not (SNOMED CT, LOINC, RxNorm): those
 * lists hold what is common, not everything, so a source that labels its data (labels.ts) is always the better one.
 */
import type { SensitiveCompartment } from '#core/fhir/sensitivity/rank.ts'

type Table = Readonly<Record<SensitiveCompartment, readonly string[]>>

const ICD_10: Table = {
  // Not F17, nicotine: no law treats it apart, and every clinician has to know.
  'substance-use': [
    ...[
      'F10',
      'F11',
      'F12',
      'F13',
      'F14',
      'F15',
      'F16',
      'F18',
      'F19',
      'F55',
      'E24.4',
      'G31.2',
      'G62.1',
      'G72.1',
      'I42.6'
    ],
    ...[
      'K29.2',
      'K70',
      'K85.2',
      'K86.0',
      'O99.31',
      'O99.32',
      'P04.4',
      'R78.0',
      'R78.1',
      'R78.2',
      'R78.3',
      'T40',
      'T51.0'
    ],
    ...['Y90', 'Y91', 'Z50.2', 'Z50.3', 'Z71.4', 'Z71.5', 'Z72.1', 'Z72.2', 'Z81.1', 'Z81.3', 'Z86.4']
  ],
  sexual: [
    ...[
      'A50',
      'A51',
      'A52',
      'A53',
      'A54',
      'A55',
      'A56',
      'A57',
      'A58',
      'A59',
      'A60',
      'A63',
      'A64',
      'B20',
      'B21',
      'B22',
      'B23'
    ],
    ...[
      'B24',
      'B97.35',
      'F52',
      'F64',
      'F65',
      'F66',
      'N52',
      'O00',
      'O01',
      'O02',
      'O03',
      'O04',
      'O05',
      'O06',
      'O07',
      'O08'
    ],
    ...[
      'O98.7',
      'R75',
      'T74',
      'T76',
      'Y05',
      'Y06',
      'Y07',
      'Z04.4',
      'Z11.3',
      'Z11.4',
      'Z20.2',
      'Z20.6',
      'Z21',
      'Z30',
      'Z31'
    ],
    ...['Z32', 'Z33.2', 'Z64.0', 'Z69', 'Z70', 'Z72.5', 'Z79.3', 'Z87.890']
  ],
  mental: [
    ...[
      'F0',
      'F2',
      'F3',
      'F4',
      'F5',
      'F6',
      'F7',
      'F8',
      'F9',
      'R45',
      'T14.91',
      'X6',
      'X7',
      'X80',
      'X81',
      'X82',
      'X83',
      'X84'
    ],
    ...['Z09.3', 'Z13.3', 'Z50.4', 'Z81.8', 'Z86.5', 'Z91.5']
  ],
  genomics: ['D57', 'E84', 'G10', 'Q9', 'Z13.7', 'Z14', 'Z15', 'Z31.4', 'Z31.5']
}

const ICD_9: Table = {
  'substance-use': [
    '291',
    '292',
    '303',
    '304',
    '305.0',
    '305.2',
    '305.3',
    '305.4',
    '305.5',
    '305.6',
    '305.7',
    '305.8',
    '305.9'
  ],
  sexual: [
    '042',
    '079.53',
    '09',
    '302',
    '632',
    '634',
    '635',
    '636',
    '637',
    '638',
    'V02.7',
    'V02.8',
    'V08',
    'V25',
    'V26',
    '995.8'
  ],
  mental: [
    '290',
    '293',
    '294',
    '295',
    '296',
    '297',
    '298',
    '299',
    '300',
    '301',
    '306',
    '307',
    '308',
    '309',
    '31',
    'E95',
    'V62.84'
  ],
  genomics: ['277.0', '282.6', '333.4', '758', 'V82.7', 'V83', 'V84']
}

const ATC: Table = {
  'substance-use': ['N07BB', 'N07BC'],
  sexual: ['G02B', 'G03A', 'G03G', 'G04BE', 'J05AE', 'J05AF', 'J05AG', 'J05AJ', 'J05AR'],
  mental: ['N05A', 'N05B', 'N06A', 'N06B', 'N06C'],
  genomics: []
}

const SNOMED_CT: Table = {
  'substance-use': [
    ...[
      '66214007',
      '26416006',
      '191816009',
      '7200002',
      '15167005',
      '75544000',
      '5602001',
      '31956009',
      '37344009',
      '6525002'
    ],
    ...['361055000', '55680006', '228273003', '160573003', '266707007']
  ],
  sexual: [
    ...['86406008', '62479008', '165816005', '8098009', '15628003', '76272004', '105629000', '386639001', '57797005'],
    ...['19169002', '169553002', '65200003', '46706006', '248110007', '706893006', '93461009', '85116003']
  ],
  mental: [
    ...['74732009', '35489007', '370143000', '36923009', '13746004', '58214004', '197480006', '47505003', '406506008'],
    ...['191736004', '6471006', '82313006', '72366004', '17226007', '69322001', '87414006', '192127007', '231504006']
  ],
  genomics: ['412734009', '412738007', '417357006', '41040004', '190905008', '58756001']
}

const LOINC: Table = {
  'substance-use': [
    ...[
      '3397-7',
      '3426-4',
      '3879-4',
      '19295-5',
      '5640-8',
      '5643-2',
      '82667-7',
      '72109-2',
      '75626-2',
      '74013-4',
      '68519-8'
    ],
    ...['11331-6', '11343-1', '74204-9']
  ],
  sexual: [
    ...[
      '75622-1',
      '56888-1',
      '25836-8',
      '20447-9',
      '5221-7',
      '29893-5',
      '7918-6',
      '68961-2',
      '48345-3',
      '20507-0',
      '22461-8'
    ],
    ...['5292-8', '21613-5', '43304-5', '24111-7', '43305-2', '2106-3', '2118-8', '82810-3', '76690-7', '76691-5']
  ],
  mental: ['44249-1', '44261-6', '55758-7', '69737-5', '70274-6', '73831-0', '34788-0', '28627-8', '34791-4'],
  genomics: [
    '69548-6',
    '48018-6',
    '51969-4',
    '81247-9',
    '53037-8',
    '48004-6',
    '51968-6',
    '81290-9',
    '48005-3',
    '55233-1'
  ]
}

const RXNORM: Table = {
  'substance-use': ['1819', '6813', '7243', '3554', '82819', '1010600', '351266', '864706'],
  sexual: ['276237', '300195', '1433868', '117466', '136411', '190521'],
  mental: ['6448', '36437', '4493', '51272', '61381', '35636', '2556', '321988', '2626', '89013', '5093', '8076'],
  genomics: []
}

/** How the codes of a system are looked up. */
export interface CodeTable {
  readonly table: Table
  /** Whether a listed code stands for all codes that begin with it. */
  readonly byPrefix: boolean
}

const ICD_10_TABLE: CodeTable = { table: ICD_10, byPrefix: true }
const SNOMED_TABLE: CodeTable = { table: SNOMED_CT, byPrefix: false }

/** Tables by the system's URI. */
export const CODE_TABLES: Readonly<Record<string, CodeTable>> = {
  'http://hl7.org/fhir/sid/icd-10': ICD_10_TABLE,
  'http://hl7.org/fhir/sid/icd-10-cm': ICD_10_TABLE,
  'http://hl7.org/fhir/sid/icd-10-de': ICD_10_TABLE,
  'http://fhir.de/CodeSystem/bfarm/icd-10-gm': ICD_10_TABLE,
  'urn:oid:2.16.840.1.113883.6.90': ICD_10_TABLE,
  'urn:oid:2.16.840.1.113883.6.3': ICD_10_TABLE,
  'http://hl7.org/fhir/sid/icd-9-cm': { table: ICD_9, byPrefix: true },
  'urn:oid:2.16.840.1.113883.6.103': { table: ICD_9, byPrefix: true },
  'http://www.whocc.no/atc': { table: ATC, byPrefix: true },
  'http://snomed.info/sct': SNOMED_TABLE,
  'urn:oid:2.16.840.1.113883.6.96': SNOMED_TABLE,
  'http://loinc.org': { table: LOINC, byPrefix: false },
  'http://www.nlm.nih.gov/research/umls/rxnorm': { table: RXNORM, byPrefix: false }
}
