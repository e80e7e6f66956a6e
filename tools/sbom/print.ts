import { billOfMaterials } from './bill.ts';

process.stdout.write(billOfMaterials());
