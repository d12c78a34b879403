/** Words that somebody who wants to know what a digest stands for tries first, in English and German. */
export const GUESSABLE_WORDS: readonly string[] = `
abortion abuse accident addiction adhd aids alcohol alcoholism allergy alzheimer amphetamine anaemia anemia angina anorexia
antibiotic anxiety arthritis asthma autism bipolar birth bleeding blood bulimia cancer cannabis cardiac chemotherapy chlamydia
cholera cirrhosis cocaine coma confusion contraception copd covid covid-19 death dementia depression diabetes diagnosis dialysis disability
drugs eczema emergency epilepsy fracture genetic gonorrhea hepatitis herpes heroin hiv hypertension infarction infection infertility
influenza insulin intoxication leukaemia leukemia lithium malaria measles medication melanoma meningitis mental metformin methadone migraine
miscarriage morphine obesity operation opioid overdose pain palliative parkinson pneumonia poisoning pregnancy pregnant
psychiatry psychosis rape rehabilitation ritalin schizophrenia seizure sepsis sertraline stroke substance suicide surgery syphilis
therapy transplant trauma tuberculosis tumour tumor unconscious vaccination violence
treatment research care emergency-care billing monitoring consent referral second-opinion insurance
abhaengigkeit abtreibung bluthochdruck depressionen diabetisch epilepsie gewalt grippe herzinfarkt krebs notfall
schlaganfall schwangerschaft schwanger selbstmord sucht suizid unfall vergiftung
ETREAT BTG HRESCH TREAT HPAYMT PATRQT
`
  .trim()
  .split(/\s+/)
